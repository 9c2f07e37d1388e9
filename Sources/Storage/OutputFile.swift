package import CheckpointImage
internal import Glibc

/// A file that takes its name only when it is complete.
///
/// It is written next to its final name; `commit` syncs and renames it. If it is released before that, it is
/// deleted, unless `keepUnfinished` was called. Only its owner may read it, as guest memory contains secrets.
package final class OutputFile: SeekableSink {
  package let name: String
  package private(set) var position: UInt64 = 0
  /// The path of the unfinished file; nil once it is committed or kept.
  package private(set) var temporaryPath: String?
  private let descriptor: Int32
  private var isOpen = true
  private let force: Bool
  private let sync: Bool
  private let cancellation: Cancellation

  package var seekable: (any SeekableSink)? { self }

  /// Opens the output at `path`: a new file, or the device or pipe that is there; `-` is standard output.
  ///
  /// - Parameters:
  ///   - force: whether an existing file is replaced.
  ///   - sync: whether `commit` waits until file and folder are on disk.
  package static func open(
    _ path: String, force: Bool, sync: Bool, cancellation: Cancellation = Cancellation()
  ) throws(CheckpointError) -> any ByteSink {
    if let pipe = try OutputPipe(path, cancellation) { return pipe }
    return try OutputFile(path, force: force, sync: sync, cancellation: cancellation)
  }

  /// Creates the unfinished file for `path`.
  ///
  /// - Parameters:
  ///   - force: whether an existing file is replaced.
  ///   - sync: whether `commit` waits until file and folder are on disk.
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

  /// `.NAME.XXXXXXXX.partial` with a random number, in the same folder, since a rename works only within a file
  /// system. Long names are shortened: a name has at most 255 bytes.
  private static func sibling(of path: String) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let folder = parts.dropLast().joined(separator: "/")
    var name = parts.last ?? ""
    while name.utf8.count > 200 { name.removeLast() }
    let base =
      ".\(name).\(Hexadecimal.string((0..<4).map { _ in UInt8.random(in: 0...255) })).partial"
    return parts.count > 1 ? "\(folder)/\(base)" : base
  }

  /// The file that `commit` would replace; nil if there is none.
  package var replaced: StorageIdentity? { StorageIdentity(path: name) }

  package func write(_ bytes: RawSpan) throws(CheckpointError) {
    try write(bytes, at: position)
    position += UInt64(bytes.byteCount)
  }

  /// A cancellation does not keep this from being written: what was captured until then may have to be kept.
  package func write(_ bytes: RawSpan, at offset: UInt64) throws(CheckpointError) {
    // SAFETY: `piece` is valid during the call.
    unsafe try writeAll(bytes, name, at: offset, cancellation) { (piece, done) in
      unsafe pwrite(descriptor, piece.baseAddress, piece.count, off_t(offset) + off_t(done))
    }
  }

  package func setLength(_ length: UInt64) throws(CheckpointError) {
    guard ftruncate(descriptor, off_t(length)) == 0 else {
      throw .system("cannot set the length", name, at: length)
    }
  }

  /// Makes the contents durable and renames the file to its final name.
  package func commit() throws(CheckpointError) {
    try cancellation.check()
    guard let temporary = temporaryPath else { return }
    if sync && fsync(descriptor) != 0 { throw .system("cannot sync", name) }
    // Some file systems report only on close that the disk is full.
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

  /// Keeps the unfinished file as `NAME.partial`, and replaces an earlier one of that name. Returns its path;
  /// nil if there is nothing to keep or another file has that name.
  package func keepUnfinished() -> String? {
    let kept = name + ".partial"
    guard let temporary = temporaryPath, Self.isFree(kept),
      unsafe rename(temporary, kept) == 0
    else { return nil }
    temporaryPath = nil
    return kept
  }

  /// Whether the name is free, or is that of an image which an earlier run left unfinished.
  private static func isFree(_ path: String) -> Bool {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return errno == ENOENT }
    guard status.st_mode & S_IFMT == S_IFREG, let file = try? LocalFile(path),
      let start = try? file.bytes(at: 0, count: 8)
    else { return false }
    return SegmentFrame.beginsImage(start)
  }

  /// Unlike a rename, a link does not replace a file that appeared in the meantime. Where the file system has
  /// no links, the name is checked before the rename.
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
