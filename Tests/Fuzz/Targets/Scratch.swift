internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc
import Storage
internal import Synchronization

/// A folder in memory for the files of one target; every run overwrites those of the one before.
struct Scratch: Sendable {
  private let folder: String

  init(_ target: FuzzTarget) {
    let base = unsafe access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    folder = "\(base)/vmckpt-fuzz-\(getpid())-\(target.rawValue)"
    unsafe mkdir(folder, 0o700)
    let isFirst = Self.folders.withLock { folders in
      folders.append(folder)
      return folders.count == 1
    }
    if isFirst { atexit { Scratch.removeAll() } }
  }

  private static let folders = Mutex<[String]>([])

  private static func removeAll() {
    for folder in folders.withLock({ $0 }) {
      for name in names { unsafe unlink("\(folder)/\(name)") }
      unsafe rmdir(folder)
    }
  }

  /// All files that targets make.
  private static let names = ["image", "base", "increment", "merged", "restored"]

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// Replaces a file's contents.
  func write(_ bytes: [UInt8], as name: String) throws(CheckpointError) {
    let descriptor = unsafe open(path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    guard unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw .system("cannot write", path(name))
    }
  }

  /// A file of that name that is written anew.
  func output(_ name: String) throws(CheckpointError) -> OutputFile {
    try OutputFile(path(name), force: true, sync: false)
  }

  /// The contents of a file of at most some MiB.
  func bytes(_ name: String) throws(CheckpointError) -> [UInt8] {
    let file = try LocalFile(path(name))
    return try file.bytes(at: 0, count: Int(file.length))
  }
}
