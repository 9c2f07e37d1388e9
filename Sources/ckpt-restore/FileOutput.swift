import ArgumentParser
import CommandLineSupport

/// Options for writing a file; a domain needs none.
struct FileOutput: ParsableArguments {
  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("Write to this file; - is standard output.", valueName: "file"),
    completion: .file())
  var path: String?

  @OptionGroup var options: FileOptions

  var isGiven: Bool { path != nil || options.force || options.noSync }
}
