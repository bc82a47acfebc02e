//! The kernels among which the fastest is looked for: those that burn times.

use burn_cubecl::tensor::CubeTensor;
use cubek::matmul::definition::MatmulElems;
use cubek::matmul::multi_level::Strategy as Levels;
use cubek::matmul::multi_level::components::tile::TileMatmulKind;
use cubek::matmul::multi_level::definition::adjust_dtypes;
use cubek::matmul::multi_level::routines::TileSizeSelection;
use cubek::matmul::multi_level::routines::batch::double_buffering::DoubleBufferingArgs;
use cubek::matmul::multi_level::routines::batch::double_unit::DoubleUnitSelectionArgs;
use cubek::matmul::multi_level::routines::batch::ordered_double_buffering::OrderedSelectionArgs;
use cubek::matmul::multi_level::routines::batch::simple::SimpleArgs;
use cubek::matmul::multi_level::routines::batch::simple_unit::SimpleUnitSelectionArgs;
use cubek::matmul::routine::BlueprintStrategy::Inferred;
use cubek::matmul::strategy::Strategy;

use super::multiply::elements;

/// Where the kernels come from, with the version: another one's of the same name may sum in another order.
pub(in crate::kernel) const CUBEK: &str = "cubek 0.3.1";

/// The name of what size, types and device decide.
pub(super) const DEFAULT: &str = "default";

/// Kernels that need no matrix instructions, by their names.
fn on_units() -> Vec<(String, Levels)> {
    use TileSizeSelection::{MaxTileSize, MinTileSize};
    let simple = |tile_size| Levels::SimpleUnit(Inferred(SimpleUnitSelectionArgs { tile_size }));
    let double = |tile_size| Levels::DoubleUnit(Inferred(DoubleUnitSelectionArgs { tile_size }));
    named([simple(MinTileSize), simple(MaxTileSize), double(MinTileSize), double(MaxTileSize)])
}

/// Kernels on matrix instructions of this kind.
fn on_tiles(tile_matmul: TileMatmulKind) -> Vec<(String, Levels)> {
    let is_cmma = matches!(tile_matmul, TileMatmulKind::Cmma);
    let simple = |multi_rows| Inferred(SimpleArgs { tile_matmul, multi_rows });
    let double = |specialized| Inferred(DoubleBufferingArgs { tile_matmul, specialized });
    let ordered = |rows| {
        let [partition_k, row_count, rows_per_plane] = [2, rows, 2].map(Some);
        Inferred(OrderedSelectionArgs { tile_matmul, partition_k, row_count, rows_per_plane })
    };
    if is_cmma {
        named([
            Levels::SimpleCyclicCmma(simple(false)),
            Levels::SimpleCyclicCmma(simple(true)),
            Levels::OrderedDoubleCmma(ordered(4)),
            Levels::OrderedDoubleCmma(ordered(8)),
            Levels::DoubleCyclicCmma(double(false)),
            Levels::DoubleCyclicCmma(double(true)),
            Levels::SpecializedCyclicCmma(Inferred(().into())),
        ])
    } else {
        named([
            Levels::SimpleCyclicMma(simple(false)),
            Levels::SimpleCyclicMma(simple(true)),
            Levels::OrderedDoubleMma(ordered(4)),
            Levels::OrderedDoubleMma(ordered(8)),
            Levels::DoubleCyclicMma(double(false)),
            Levels::DoubleCyclicMma(double(true)),
            Levels::SpecializedCyclicMma(Inferred(().into())),
        ])
    }
}

fn named<const N: usize>(kernels: [Levels; N]) -> Vec<(String, Levels)> {
    kernels.into_iter().map(|kernel| (kernel.to_string(), kernel)).collect()
}

/// Every kernel that may multiply operands of the type of `a` on its device, by its name, and the default.
pub(super) fn candidates(a: &CubeTensor) -> Vec<(String, Strategy)> {
    let mut found = on_units();
    for kind in [TileMatmulKind::Cmma, TileMatmulKind::Mma] {
        let mut elements = elements(a);
        adjust_dtypes(&a.client, &mut elements, kind.requires_accelerator());
        let MatmulElems { lhs_register, rhs_register, acc_register, .. } = elements;
        // Others would be compiled to fail.
        if !kind.supported_sizes(&a.client, lhs_register, rhs_register, acc_register).is_empty() {
            found.extend(on_tiles(kind));
        }
    }
    let found = found.into_iter().map(|(name, kernel)| (name, Strategy::MultiLevel(kernel)));
    std::iter::once((DEFAULT.to_owned(), Strategy::Auto)).chain(found).collect()
}

/// The kernel called `name`; nothing for the default, and for one that is not known.
pub(super) fn candidate(name: &str) -> Option<Strategy> {
    let all = [TileMatmulKind::Cmma, TileMatmulKind::Mma].map(on_tiles).into_iter().flatten().chain(on_units());
    all.into_iter().find(|(known, _)| known == name).map(|(_, kernel)| Strategy::MultiLevel(kernel))
}
