package import CheckpointImage
internal import Glibc

/// A file that takes its name only when it is complete.
///
/// It is written beside its final name; `commit` syncs and renames it; if it is dropped before, nothing
/// stays behind, unless `keepUnfinished` asks for it. Only its owner may read it: a guest's memory holds the guest's secrets.
package final class OutputFile: SeekableSink {
  package let name: String
  package private(set) var position: UInt64 = 0
  /// The path of the unfinished file; nil if there is none.
  package private(set) var temporaryPath: String?
  private let descriptor: Int32
  private var isOpen = true
  private let force: Bool
  private let sync: Bool
  private let cancellation: Cancellation

  package var seekable: (any SeekableSink)? { self }

  /// What is to be written at `path`: a file, or if a device or a pipe is there, that; `-` is standard output.
  ///
  /// - Parameters:
  ///   - force: an existing file is replaced.
  ///   - sync: file and folder are synced before `commit` returns.
  package static func open(
    _ path: String, force: Bool, sync: Bool, cancellation: Cancellation = Cancellation()
  ) throws(CheckpointError) -> any ByteSink {
    if let pipe = try OutputPipe(path, cancellation) { return pipe }
    return try OutputFile(path, force: force, sync: sync, cancellation: cancellation)
  }

  /// Begins a file at `path`.
  ///
  /// - Parameters:
  ///   - force: an existing file is replaced.
  ///   - sync: file and folder are synced before `commit` returns.
  package init(
    _ path: String, force: Bool, sync: Bool, cancellation: Cancellation = Cancellation()
  ) throws(CheckpointError) {
    name = path
    self.force = force
    self.sync = sync
    self.cancellation = cancellation
    var status = stat()
    if unsafe stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT != S_IFDIR else {
        throw CheckpointError(.io, "is a directory", file: path)
      }
      guard force else {
        throw CheckpointError(.refused, "exists already", file: path, hint: .replaceExisting)
      }
    }
    let temporary = Self.sibling(of: path)
    descriptor = unsafe Glibc.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    if descriptor >= 0 { temporaryPath = temporary }
    guard descriptor >= 0 else { throw .system("cannot create", path) }
  }

  deinit {
    if isOpen { close(descriptor) }
    if let temporaryPath { unsafe unlink(temporaryPath) }
  }

  /// `.NAME.XXXXXXXX.partial` with a random number, in the same folder, so that the rename stays within
  /// one file system. A long name is cut, for names have at most 255 bytes.
  private static func sibling(of path: String) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let folder = parts.dropLast().joined(separator: "/")
    var name = parts.last ?? ""
    while name.utf8.count > 200 { name.removeLast() }
    let base =
      ".\(name).\(Hexadecimal.string((0..<4).map { _ in UInt8.random(in: 0...255) })).partial"
    return parts.count > 1 ? "\(folder)/\(base)" : base
  }

  /// The file in whose place `commit` would put this one; nil if there is none.
  package var replaced: StorageIdentity? { StorageIdentity(path: name) }

  package func write(_ bytes: RawSpan) throws(CheckpointError) {
    try write(bytes, at: position)
    position += UInt64(bytes.byteCount)
  }

  package func write(_ bytes: RawSpan, at offset: UInt64) throws(CheckpointError) {
    unsafe try writeAll(bytes, name, at: offset, cancellation) { (piece, done) in
      unsafe pwrite(descriptor, piece.baseAddress, piece.count, off_t(offset) + off_t(done))
    }
  }

  package func setLength(_ length: UInt64) throws(CheckpointError) {
    guard ftruncate(descriptor, off_t(length)) == 0 else {
      throw .system("cannot set the length", name, at: length)
    }
  }

  /// Makes what was written durable, and gives the file its name.
  package func commit() throws(CheckpointError) {
    try cancellation.check()
    guard let temporary = temporaryPath else { return }
    if sync && fsync(descriptor) != 0 { throw .system("cannot sync", name) }
    // Some file systems tell only here that there was no room.
    isOpen = false
    guard close(descriptor) == 0 else { throw .system("cannot close", name) }
    if force {
      guard unsafe rename(temporary, name) == 0 else {
        throw .system("cannot rename the finished file to", name)
      }
    } else {
      try takeName(temporary)
    }
    temporaryPath = nil
    if sync { try syncFolder() }
  }

  package func reopened() throws(CheckpointError) -> any RangeReader {
    try LocalFile(temporaryPath ?? name, name: name, cancellation: cancellation)
  }

  /// Leaves the unfinished file behind as `NAME.partial`, where an earlier one of that name makes room.
  /// Returns its path; nil if there is nothing to be left, or another file has that name.
  package func keepUnfinished() -> String? {
    let kept = name + ".partial"
    guard let temporary = temporaryPath, Self.isFree(kept),
      unsafe rename(temporary, kept) == 0
    else { return nil }
    temporaryPath = nil
    return kept
  }

  /// Whether nothing has this name, or what an earlier run left unfinished.
  private static func isFree(_ path: String) -> Bool {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return errno == ENOENT }
    guard status.st_mode & S_IFMT == S_IFREG, let file = try? LocalFile(path),
      let start = try? file.bytes(at: 0, count: 8)
    else { return false }
    return SegmentFrame.beginsImage(start)
  }

  /// A link, unlike a rename, does not replace a file that appeared meanwhile; where the file system
  /// knows no links, what is there is looked for first.
  private func takeName(_ temporary: String) throws(CheckpointError) {
    if unsafe link(temporary, name) == 0 {
      unsafe unlink(temporary)
      return
    }
    let isTaken = unsafe errno == EEXIST || access(name, F_OK) == 0
    if isTaken { errno = EEXIST }
    guard !isTaken, unsafe rename(temporary, name) == 0 else {
      throw .system("cannot give the finished file its name", name)
    }
  }

  private func syncFolder() throws(CheckpointError) {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let folder = parts.isEmpty ? "." : parts.joined(separator: "/") + "/"
    let descriptor = unsafe Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("cannot open the folder of", name) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .system("cannot sync the folder of", name) }
  }
}
