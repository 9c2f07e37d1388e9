package import CheckpointImage
internal import Glibc

/// A file that takes its name only when it is complete, or standard output.
///
/// It is written beside its final name; `commit` syncs and renames it; if it is dropped before, nothing
/// stays behind, unless `keepUnfinished` asks for it. Only its owner may read it: a guest's memory holds the guest's secrets.
package final class OutputFile {
  /// The name used in messages.
  package let name: String
  /// Bytes written in sequence so far.
  package private(set) var position: UInt64 = 0
  /// Whether bytes can be written at any offset, and so be left out.
  package let isSeekable: Bool
  /// The path of the unfinished file; nil if there is none.
  package private(set) var temporaryPath: String?
  /// Bytes for one call: for larger ones the kernel takes page cache in large folios, and where memory
  /// is fragmented putting these together takes longer than the copy (measured: 0.1 or 0.5 s for 512 MiB).
  private static let pieceSize = 1 << 17
  private let path: String
  private let descriptor: Int32
  private var isOpen = true
  private let force: Bool
  private let sync: Bool

  /// Begins a file at `path`; `-` is standard output, and a device or pipe is written to directly.
  ///
  /// - Parameters:
  ///   - force: an existing file is replaced.
  ///   - sync: file and folder are synced before `commit` returns.
  package init(_ path: String, force: Bool, sync: Bool) throws(CheckpointError) {
    self.path = path
    self.force = force
    self.sync = sync
    name = path == "-" ? "standard output" : path
    var status = stat()
    let exists = unsafe path != "-" && stat(path, &status) == 0
    if path == "-" {
      guard isatty(STDOUT_FILENO) == 0 else {
        throw CheckpointError(
          .refused, "is a terminal; use a file or a pipe", file: "standard output")
      }
      descriptor = STDOUT_FILENO
      isSeekable = false
    } else if exists && status.st_mode & S_IFMT == S_IFDIR {
      throw CheckpointError(.io, "is a directory", file: path)
    } else if exists && status.st_mode & S_IFMT != S_IFREG {
      descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC)
      isSeekable = false
    } else if exists && !force {
      throw CheckpointError(.refused, "exists already (--force replaces it)", file: path)
    } else {
      let temporary = Self.sibling(of: path)
      descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      isSeekable = true
      if descriptor >= 0 { temporaryPath = temporary }
    }
    guard descriptor >= 0 else { throw .system("cannot create", path) }
  }

  /// Writes to a pipe that the caller has open, and closes.
  package init(pipe descriptor: Int32, name: String) {
    self.descriptor = descriptor
    self.name = name
    path = ""
    isSeekable = false
    isOpen = false
    force = false
    sync = false
  }

  /// Writes to a temporary file, which the caller keeps.
  package convenience init(_ spool: TemporaryFile, name: String) {
    self.init(pipe: spool.descriptor, name: name)
  }

  deinit {
    if isOpen && descriptor != STDOUT_FILENO { close(descriptor) }
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
  package var replaced: FileIdentity? { FileIdentity(path: path) }

  /// Appends bytes.
  package func write(_ bytes: RawSpan) throws(CheckpointError) {
    unsafe try bytes.withUnsafeBytes { (buffer) throws(CheckpointError) in
      unsafe try writeAll(buffer, at: nil)
    }
    position += UInt64(bytes.byteCount)
  }

  /// Appends bytes.
  package func write(_ bytes: [UInt8]) throws(CheckpointError) {
    unsafe try write(bytes.span.bytes)
  }

  /// Writes bytes at an offset; what is never written reads as zero. Only if `isSeekable`.
  package func write(_ bytes: RawSpan, at offset: UInt64) throws(CheckpointError) {
    unsafe try bytes.withUnsafeBytes { (buffer) throws(CheckpointError) in
      unsafe try writeAll(buffer, at: offset)
    }
  }

  private func writeAll(_ buffer: UnsafeRawBufferPointer, at offset: UInt64?)
    throws(CheckpointError)
  {
    var done = 0
    while done < buffer.count {
      let start = unsafe buffer.baseAddress?.advanced(by: done)
      let rest = min(buffer.count - done, Self.pieceSize)
      let count =
        if let offset {
          unsafe pwrite(descriptor, start, rest, off_t(offset) + off_t(done))
        } else {
          unsafe Glibc.write(descriptor, start, rest)
        }
      if count < 0 && errno == EINTR && Interruption.received == 0 { continue }
      guard count > 0 else {
        throw .system("cannot write", name, at: (offset ?? position) + UInt64(done))
      }
      done += count
    }
  }

  /// Sets the length; only if `isSeekable`.
  package func setLength(_ length: UInt64) throws(CheckpointError) {
    guard ftruncate(descriptor, off_t(length)) == 0 else {
      throw .system("cannot set the length", name, at: length)
    }
  }

  /// Makes what was written durable, and gives the file its name.
  package func commit() throws(CheckpointError) {
    try Interruption.check()
    guard let temporary = temporaryPath else { return }
    if sync && fsync(descriptor) != 0 { throw .system("cannot sync", name) }
    // Some file systems tell only here that there was no room.
    isOpen = false
    guard close(descriptor) == 0 else { throw .system("cannot close", name) }
    if force {
      guard unsafe rename(temporary, path) == 0 else {
        throw .system("cannot rename the finished file to", path)
      }
    } else {
      try takeName(temporary)
    }
    temporaryPath = nil
    if sync { try syncFolder() }
  }

  /// Leaves the unfinished file behind as `NAME.partial`, where an earlier one of that name makes room.
  /// Returns its path; nil if there is nothing to be left, or another file has that name.
  package func keepUnfinished() -> String? {
    let kept = path + ".partial"
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
    guard status.st_mode & S_IFMT == S_IFREG, let file = try? InputFile(path),
      let start = try? file.bytes(at: 0, count: 8)
    else { return false }
    return SegmentFrame.beginsImage(start)
  }

  /// A link, unlike a rename, does not replace a file that appeared meanwhile; where the file system
  /// knows no links, what is there is looked for first.
  private func takeName(_ temporary: String) throws(CheckpointError) {
    if unsafe link(temporary, path) == 0 {
      unsafe unlink(temporary)
      return
    }
    let isTaken = unsafe errno == EEXIST || access(path, F_OK) == 0
    if isTaken { errno = EEXIST }
    guard !isTaken, unsafe rename(temporary, path) == 0 else {
      throw .system("cannot give the finished file its name", path)
    }
  }

  private func syncFolder() throws(CheckpointError) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let folder = parts.isEmpty ? "." : parts.joined(separator: "/") + "/"
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("cannot open the folder of", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .system("cannot sync the folder of", path) }
  }
}
