public import ArgumentParser
internal import CheckpointChain
public import CheckpointCodec
public import CheckpointImage

/// Options of every tool.
public struct CommonOptions: ParsableArguments {
  /// No progress, no summary.
  @Flag(name: .shortAndLong, help: "Print neither progress nor a summary.")
  public var quiet = false

  /// Results as JSON.
  @Flag(help: "Print results as JSON.")
  public var json = false

  /// Makes the options.
  public init() {}
}

/// Options of tools that work on several cores.
public struct ThreadOptions: ParsableArguments {
  /// Worker threads.
  @Option(help: ArgumentHelp("Work on at most N cores (default: all).", valueName: "n"))
  public var threads: Int?

  /// Makes the options.
  public init() {}

  /// Refuses impossible values.
  public func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads takes a number from 1 to 1024")
    }
  }

  /// The workers asked for.
  public var pool: WorkerPool {
    // More than there are cores would only take memory.
    WorkerPool(width: threads.map { min($0, WorkerPool.processors) })
  }
}

/// Options of tools that read a chain.
public struct ChainOptions: ParsableArguments {
  /// Folders with ancestors.
  @Option(
    name: .customLong("search"),
    help: ArgumentHelp("Look for parents in this folder too (repeatable).", valueName: "folder"),
    completion: .directory)
  public var folders: [String] = []

  /// Makes the options.
  public init() {}
}

/// How a file is written.
public struct FileOptions: ParsableArguments {
  /// Replace an existing file.
  @Flag(help: "Replace an existing file.")
  public var force = false

  /// Skip syncing.
  @Flag(help: "Do not wait until the file is on disk.")
  public var noSync = false

  /// Makes the options.
  public init() {}

  /// Begins a file with these options.
  public func open(_ path: String) throws(CheckpointError) -> OutputFile {
    try OutputFile(path, force: force, sync: !noSync)
  }
}

/// Options of tools that write a file.
public struct OutputOptions: ParsableArguments {
  /// The file.
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write to this file; - is standard output.", valueName: "file"),
    completion: .file())
  public var output: String

  /// How it is written.
  @OptionGroup public var file: FileOptions

  /// Makes the options.
  public init() {}

  /// Says so if the file's parent will not be found beside it.
  public func noteParent(_ parent: String, quiet: Bool) {
    let folder = ChainResolver.folder(of: parent)
    guard !quiet, output != "-",
      !ChainResolver.isSameFolder(folder, ChainResolver.folder(of: output))
    else { return }
    Message.print(
      "\(toolName): note: the parent lies in another folder: tools need --search \(folder)")
  }

  /// Begins the file, or one of another name with the same options.
  public func open(_ path: String? = nil) throws(CheckpointError) -> OutputFile {
    try file.open(path ?? output)
  }
}
