package import ArgumentParser
internal import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Storage
/// Options of every tool.
package struct CommonOptions: ParsableArguments {
  /// No progress, no summary.
  @Flag(name: .shortAndLong, help: "Print neither progress nor a summary.")
  package var quiet = false

  /// Results as JSON.
  @Flag(help: "Print results as JSON.")
  package var json = false

  /// Makes the options.
  package init() {}
}

/// Options of tools that work on several cores.
package struct ThreadOptions: ParsableArguments {
  /// Worker threads.
  @Option(help: ArgumentHelp("Work on at most N cores (default: all).", valueName: "n"))
  package var threads: Int?

  /// Makes the options.
  package init() {}

  /// Refuses impossible values.
  package func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads takes a number from 1 to 1024")
    }
  }

  /// The workers asked for.
  package var pool: WorkerPool {
    // More than there are cores would only take memory.
    WorkerPool(width: threads.map { min($0, WorkerPool.processors) })
  }
}

/// Options of tools that read a chain.
package struct ChainOptions: ParsableArguments {
  /// Folders with ancestors.
  @Option(
    name: .customLong("search"),
    help: ArgumentHelp("Look for parents in this folder too (repeatable).", valueName: "folder"),
    completion: .directory)
  package var folders: [String] = []

  /// Makes the options.
  package init() {}
}

/// How a file is written.
package struct FileOptions: ParsableArguments {
  /// Replace an existing file.
  @Flag(help: "Replace an existing file.")
  package var force = false

  /// Skip syncing.
  @Flag(help: "Do not wait until the file is on disk.")
  package var noSync = false

  /// Makes the options.
  package init() {}

  /// Begins a file with these options.
  package func open(_ path: String) throws(CheckpointError) -> OutputFile {
    try OutputFile(path, force: force, sync: !noSync)
  }
}

/// Options of tools that write a file.
package struct OutputOptions: ParsableArguments {
  /// The file.
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write to this file; - is standard output.", valueName: "file"),
    completion: .file())
  package var output: String

  /// How it is written.
  @OptionGroup package var file: FileOptions

  /// Makes the options.
  package init() {}

  /// Says so if the file's parent will not be found beside it.
  package func noteParent(_ parent: String, quiet: Bool) {
    let folder = ChainResolver.folder(of: parent)
    guard !quiet, output != "-",
      !ChainResolver.isSameFolder(folder, ChainResolver.folder(of: output))
    else { return }
    Message.print(
      "\(toolName): note: the parent lies in another folder: tools need --search \(folder)")
  }

  /// Begins the file, or one of another name with the same options.
  package func open(_ path: String? = nil) throws(CheckpointError) -> OutputFile {
    try file.open(path ?? output)
  }
}
