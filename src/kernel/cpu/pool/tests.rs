use super::*;

fn pool() -> &'static Pool {
    Box::leak(Box::new(Pool::new()))
}

#[test]
fn memory_is_recycled_when_it_fits_and_is_not_wasted() {
    let pool = pool();
    let first = pool.take::<f32>(100_000);
    let address = first.as_ptr() as usize;
    assert_eq!(address % ALIGNMENT, 0);
    assert!(first.iter().all(|value| value.to_bits() == 0), "fresh memory is zero");
    drop(first);
    let shorter = pool.take::<bf16>(190_000);
    assert_eq!(shorter.as_ptr() as usize, address, "another type, a little less");
    let second = pool.take::<f32>(100_000);
    assert_ne!(second.as_ptr() as usize, address, "in use");
    drop((shorter, second));
    let small = pool.take::<u32>(40_000);
    assert!(pool.lock().free_bytes > 2 * 400_000, "nothing so large is taken for so little");
    drop(small);
    let held: Vec<_> = [100_000, 100_000, 40_000].map(|length| pool.take::<f32>(length)).into();
    assert_eq!(pool.lock().free_bytes, 0, "the steady state allocates nothing");
    drop(held);
    assert_eq!(pool.lock().used_bytes, 0);
}

#[test]
fn what_lies_idle_is_bounded_when_sizes_change_from_step_to_step() {
    let pool = pool();
    for step in 0..200usize {
        let length = 300_000 + step * 7919 % 900_000;
        let step: Vec<Buffer<f32>> = (0..8).map(|_| pool.take(length)).collect();
        drop(step);
    }
    let state = pool.lock();
    assert!(state.most_used >= 8 * 4 * 1_100_000, "{}", state.most_used);
    assert!(state.free_bytes <= state.most_used / 4 * 5 + SLACK, "{} idle", state.free_bytes);
}

#[test]
fn every_size_is_rounded_up_by_an_eighth_at_most() {
    for bytes in (1..5000).chain([1 << 20, (1 << 20) + 1, 99_999_999]) {
        let capacity = rounded(bytes);
        assert!(capacity >= bytes && capacity.is_multiple_of(ALIGNMENT), "{bytes} → {capacity}");
        assert!(capacity <= bytes + (bytes / 8).max(ALIGNMENT), "{bytes} → {capacity}");
    }
    assert_eq!(Buffer::<f32>::take(0).len(), 0);
}

#[test]
fn large_buffers_begin_at_a_huge_page_and_views_keep_the_bytes() {
    let mut buffer = Buffer::<f32>::zeroed(HUGE_PAGE / 4 + 3);
    assert_eq!(buffer.as_ptr() as usize % HUGE_PAGE, 0);
    buffer[HUGE_PAGE / 4 + 2] = 1.5;
    let bytes = buffer.into_bytes();
    assert_eq!(bytes.len(), HUGE_PAGE + 12);
    assert_eq!(bytes[HUGE_PAGE + 8..], 1.5f32.to_ne_bytes());
}

#[test]
fn threads_never_share_a_buffer() {
    let pool = pool();
    std::thread::scope(|scope| {
        for thread in 0..4u32 {
            scope.spawn(move || {
                for round in 0..200u32 {
                    let mut buffers: Vec<Buffer<u32>> =
                        (1..4).map(|part| pool.take(part * 1000 + (round % 7) as usize)).collect();
                    let mark = thread * 1000 + round;
                    for buffer in &mut buffers {
                        buffer.fill(mark);
                    }
                    std::thread::yield_now();
                    assert!(buffers.iter().all(|buffer| buffer.iter().all(|&value| value == mark)));
                }
            });
        }
    });
    assert_eq!(pool.lock().used_bytes, 0);
}
