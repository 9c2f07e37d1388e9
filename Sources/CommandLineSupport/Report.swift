public import CheckpointImage

/// Tells what was written: on standard output as JSON, else on standard error; always there if standard
/// output carries the data.
public func report(
  _ report: ImageReport, _ common: CommonOptions, _ output: OutputOptions
) throws(CheckpointError) {
  if common.json && output.output != "-" {
    try Results.printJSON(report)
  } else if !common.quiet {
    Message.print(report.line)
  }
}
