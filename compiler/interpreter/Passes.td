// Passes that interpret `transformer` IR, for tests and for those who write
// passes.

#ifndef TCC_COMPILER_INTERPRETER_PASSES_TD
#define TCC_COMPILER_INTERPRETER_PASSES_TD

include "mlir/Pass/PassBase.td"

// What every run on generated inputs can be told.
defvar generatedRunOptions = [
  Option<"entry", "entry", "std::string", /*default=*/"",
         "Function to run; every public one if empty">,
  Option<"length", "length", "int64_t", /*default=*/"8",
         "Tokens of the longest sequence, and size of dynamic dimensions">,
  Option<"sequences", "sequences", "int64_t", /*default=*/"3",
         "Sequences that a model runs on">,
  Option<"seed", "seed", "uint64_t", /*default=*/"0",
         "Seed of weights, tokens and arguments">,
  Option<"pageSize", "page-size", "int64_t", /*default=*/"4",
         "Positions in a page of the cache">,
  Option<"round", "round", "bool", /*default=*/"false",
         "Round every result to its element type">
];

def InterpretPass : Pass<"tcc-interpret", "::mlir::ModuleOp"> {
  let summary = "Run functions in f64 on generated inputs and print the results";
  let description = [{
    Runs `entry`, or every public function, and prints what it returns to
    stdout: small tensors element by element, large ones as the L2 norm, the
    smallest and the largest element.

    ```mlir
    func.func @doubled() -> tensor<3xf32> {
      %x = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf32>
      %y = arith.addf %x, %x : tensor<3xf32>
      return %y : tensor<3xf32>
    }
    ```

    prints

    ```
    @doubled result 0: [2, -4, 1]
    ```

    A function that takes `(tokens, positions)`, with or without `sequences`,
    `page_table` and `logit_rows`, is the entry of a model. It runs on several
    sequences of random tokens and prints the logits of each: a batched entry in
    several steps that mix prefill and decode, an entry for one sequence once for
    each. The figures are therefore the same at every stage of the compiler. It may
    return states beside logits; if it does, it may take as many, of the tokens
    before, as its first argument: multi-token prediction. Arguments of any other
    function are random, integers count from 0.

    Weights are random, and depend on the seed and the names of their tensors
    alone. With `output` the results are written as a NumPy array of float64,
    those of several sequences below each other; they must agree in columns.

    Numerics: bit-exact; changes nothing.
  }];
  let options = !listconcat(generatedRunOptions, [
    Option<"output", "output", "std::string", /*default=*/"",
           "File for the results, in NumPy's format">
  ]);
}

def VerifyMeaningPass : Pass<"tcc-verify-meaning", "::mlir::ModuleOp"> {
  let summary = "Run a pipeline and verify that it keeps the meaning";
  let description = [{
    Runs `pipeline` on the module, interprets each function of the module before
    and after on the same inputs (see `tcc-interpret`), and fails if a result
    differs by more than `tolerance`: as relative L2 of all elements or of the
    worst row. The module is then the rewritten one.

    ```
    tcc-opt x.mlir --tcc-verify-meaning="pipeline=func.func(tcc-fuse-attention),cse"
    ```

    Entries of models are compared by what they return for each sequence, so the pipeline
    may give them the arguments of a batch. It must not remove public functions.

    With `round=true tolerance=0` it verifies that a pipeline is bit-exact.

    Numerics: those of `pipeline`.
  }];
  let options = !listconcat([
    Option<"pipeline", "pipeline", "std::string", /*default=*/"",
           "Passes to run, as in --pass-pipeline">,
    Option<"tolerance", "tolerance", "double", /*default=*/"1e-12",
           "Largest relative L2 difference that is accepted">,
    Option<"report", "report", "bool", /*default=*/"false",
           "Print the differences as remarks">
  ], generatedRunOptions);
}

#endif // TCC_COMPILER_INTERPRETER_PASSES_TD
