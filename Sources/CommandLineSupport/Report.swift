public import CheckpointImage

/// Tells what was written: on standard output as JSON, else on standard error; always there if standard
/// output carries the data.
public func tell(
  _ report: ImageReport, _ common: CommonOptions, _ output: OutputOptions
) throws(CheckpointError) {
  if common.json && output.output != "-" {
    try Results.printJSON(report)
  } else if !common.quiet {
    if let merged = report.merged { Message.print(merged.line) }
    Message.print(report.line)
  }
}
