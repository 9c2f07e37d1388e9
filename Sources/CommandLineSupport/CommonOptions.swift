package import ArgumentParser
package import CheckpointChain
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
    WorkerPool(
      width: threads.map { min($0, WorkerPool.processors) }, cancellation: Signals.cancellation)
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

  /// Opens the chain whose tip is at `path`; `-` is standard input.
  ///
  /// - Parameter more: further folders with ancestors.
  package func open(_ path: String, alsoIn more: [String] = []) throws(CheckpointError) -> Chain {
    try Chain.open(path, searching: folders + more, cancellation: Signals.cancellation)
  }

  /// Where the ancestors of the image at `path` are looked for.
  package func finder(of path: String, alsoIn more: [String] = []) throws(CheckpointError)
    -> any ImageFinder
  {
    try Folders(of: path, searching: folders + more, cancellation: Signals.cancellation)
  }
}

/// Opens an image alone; `-` is standard input.
package func openImage(_ path: String) throws(CheckpointError) -> ImageFile {
  try ImageFile(path, cancellation: Signals.cancellation)
}

/// Begins standard output as the place of binary results.
package func openStandardOutput() throws(CheckpointError) -> any ByteSink {
  try OutputFile.open("-", force: false, sync: false, cancellation: Signals.cancellation)
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
  package func open(_ path: String) throws(CheckpointError) -> any ByteSink {
    try OutputFile.open(
      path, force: force, sync: !noSync, cancellation: Signals.cancellation)
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
    let folder = Folders.folder(of: parent)
    guard !quiet, output != "-",
      !Folders.isSameFolder(folder, Folders.folder(of: output))
    else { return }
    Message.print(
      "\(toolName): note: the parent lies in another folder: tools need --search \(folder)")
  }

  /// Begins the file, or one of another name with the same options.
  package func open(_ path: String? = nil) throws(CheckpointError) -> any ByteSink {
    try file.open(path ?? output)
  }
}
