//! Where parameters come in the order in which a module is visited, which is that of gradients.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// How many parameters there are.
pub(super) fn parameters(model: &impl Module) -> usize {
    struct Count(usize);
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
            self.0 += 1;
        }
    }
    let mut count = Count(0);
    model.visit(&mut count);
    count.0
}

/// Where a parameter comes in the module's visiting order.
pub(super) fn place(model: &impl Module, of: ParamId) -> usize {
    struct Find {
        of: ParamId,
        next: usize,
        found: usize,
    }
    impl ModuleVisitor for Find {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            if parameter.id == self.of {
                self.found = self.next;
            }
            self.next += 1;
        }
    }
    let mut find = Find { of, next: 0, found: usize::MAX };
    model.visit(&mut find);
    find.found
}
