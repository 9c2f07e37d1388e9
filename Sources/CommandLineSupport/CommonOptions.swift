package import ArgumentParser
package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Storage

/// Options of every tool.
package struct CommonOptions: ParsableArguments {
  /// Print neither progress nor a summary.
  @Flag(name: .shortAndLong, help: "Print neither progress nor a summary.")
  package var quiet = false

  /// Print results as JSON.
  @Flag(help: "Print results as JSON.")
  package var json = false

  /// Options without values, which ArgumentParser fills in.
  package init() {}
}

/// Options of tools that use several cores.
package struct ThreadOptions: ParsableArguments {
  /// The most worker threads; nil for all cores.
  @Option(help: ArgumentHelp("Work on at most N cores (default: all).", valueName: "n"))
  package var threads: Int?

  /// Options without values, which ArgumentParser fills in.
  package init() {}

  /// Rejects impossible numbers of threads.
  package func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads takes a number from 1 to 1024")
    }
  }

  /// A pool with this many workers.
  package var pool: WorkerPool {
    // More workers than cores would only take memory.
    WorkerPool(
      width: threads.map { min($0, WorkerPool.processors) }, cancellation: Signals.cancellation)
  }
}

/// Options of tools that read a chain.
package struct ChainOptions: ParsableArguments {
  /// Further folders with ancestors.
  @Option(
    name: .customLong("search"),
    help: ArgumentHelp("Look for parents in this folder too (repeatable).", valueName: "folder"),
    completion: .directory)
  package var folders: [String] = []

  /// Options without values, which ArgumentParser fills in.
  package init() {}

  /// Opens the chain whose tip is at `path`; `-` is standard input.
  ///
  /// - Parameter more: folders with ancestors besides those of the option.
  package func open(_ path: String, alsoIn more: [String] = []) throws(CheckpointError) -> Chain {
    try Chain.open(path, searching: folders + more, cancellation: Signals.cancellation)
  }

  /// Opens all images of the chain whose tip is at `path`, tip first; no index is read.
  package func images(_ path: String) throws(CheckpointError) -> [ImageFile] {
    try Chain.images(path, searching: folders, cancellation: Signals.cancellation)
  }

  /// Opens two chains of one guest.
  package func openPair(_ before: String, _ after: String) throws(CheckpointError) -> ChainPair {
    try ChainPair.open(before, after, searching: folders, cancellation: Signals.cancellation)
  }

  /// Finds the ancestors of the image at `path`.
  package func finder(of path: String, alsoIn more: [String] = []) throws(CheckpointError)
    -> any ImageFinder
  {
    try openFinder(of: path, searching: folders + more)
  }
}

/// Options of tools that write a file.
package struct FileOptions: ParsableArguments {
  /// Replace an existing file.
  @Flag(help: "Replace an existing file.")
  package var force = false

  /// Do not wait until the file is on disk.
  @Flag(help: "Do not wait until the file is on disk.")
  package var noSync = false

  /// Options without values, which ArgumentParser fills in.
  package init() {}

  /// Opens the output at `path` with these options.
  package func open(_ path: String) throws(CheckpointError) -> any ByteSink {
    try openOutput(path, force: force, sync: !noSync)
  }
}

/// Options of tools that write an image.
package struct OutputOptions: ParsableArguments {
  /// The path of the output.
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write to this file; - is standard output.", valueName: "file"),
    completion: .file())
  package var output: String

  /// How the file is written.
  @OptionGroup package var file: FileOptions

  /// Options without values, which ArgumentParser fills in.
  package init() {}

  /// Prints a note if the output's parent lies in another folder, where it is not found by default.
  package func noteParent(_ parent: String, quiet: Bool) {
    let folder = Folders.folder(of: parent)
    guard !quiet, output != "-",
      !Folders.isSameFolder(folder, Folders.folder(of: output))
    else { return }
    Message.print(
      "\(toolName): note: the parent lies in another folder: tools need --search \(folder)")
  }

  /// Opens the output, or one at another path with the same options.
  package func open(_ path: String? = nil) throws(CheckpointError) -> any ByteSink {
    try file.open(path ?? output)
  }
}
