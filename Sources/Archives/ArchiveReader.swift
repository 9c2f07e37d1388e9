internal import CArchive
internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc
internal import Storage

/// Uses libarchive to expand a stream, or to read the members of the archive in it.
///
/// Filters and formats are enabled one by one; none of them runs another program.
@safe final class ArchiveReader: Expander {
  /// A member of an archive.
  struct Member {
    let path: String
    let modified: (seconds: Int, nanoseconds: Int)?
    /// Whether it is a regular file, not a folder, link or device.
    let isFile: Bool
    let isEncrypted: Bool
  }

  // SAFETY of all uses: `archive` is freed only by `deinit`; entries and texts of libarchive are used only
  // before the next call.
  private let archive: OpaquePointer
  private let input: InputStream
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
  /// Names of members are decoded as UTF-8, whatever the user's locale.
  private let locale = unsafe newlocale(1 << LC_CTYPE, "C.UTF-8", nil)
  private let seeks: Bool
  private var structure: String
  /// Whether libarchive asked for bytes after the end.
  private var sawEnd = false
  /// The first failure, after which no result of libarchive can be trusted.
  private var failure: CheckpointError?

  /// Expands `input` with a filter of libarchive; `structure` is its name in messages.
  init(_ input: InputStream, filter: Int32, _ structure: String) throws(CheckpointError) {
    unsafe archive = archive_read_new()
    self.input = input
    seeks = false
    self.structure = structure
    // Set rather than detected, so that what expands to compressed bytes is not expanded twice.
    try check(unsafe archive_read_set_format(archive, ARCHIVE_FORMAT_RAW))
    try check(unsafe archive_read_append_filter(archive, filter))
    try open()
    var entry: OpaquePointer?
    try check(unsafe archive_read_next_header(archive, &entry))
  }

  /// Opens the archive in `input`.
  init(_ input: InputStream) throws(CheckpointError) {
    unsafe archive = archive_read_new()
    self.input = input
    seeks = input.length != nil
    structure = "archive"
    unsafe archive_read_support_format_tar(archive)
    unsafe archive_read_support_format_zip(archive)
    unsafe archive_read_support_format_cpio(archive)
    unsafe archive_read_support_format_7zip(archive)
    try open()
  }

  deinit {
    unsafe archive_read_free(archive)
    unsafe buffer.deallocate()
    if let locale = unsafe locale { unsafe freelocale(locale) }
  }

  /// The format; nil before the first member.
  var format: ArchiveFormat? { ArchiveFormat(code: unsafe archive_format(archive)) }

  private func open() throws(CheckpointError) {
    // SAFETY: `deinit` frees the archive, so no callback outlives this reader.
    let me = unsafe Unmanaged.passUnretained(self).toOpaque()
    if seeks {
      unsafe archive_read_set_seek_callback(archive) { _, me, offset, whence in
        guard let me = unsafe me else { return Int64(ARCHIVE_FATAL) }
        return unsafe Unmanaged<ArchiveReader>.fromOpaque(me).takeUnretainedValue()
          .seek(offset, whence)
      }
    }
    try check(
      unsafe archive_read_open(
        archive, me, nil,
        { _, me, block in
          guard let me = unsafe me, let block = unsafe block else { return Int(ARCHIVE_FATAL) }
          return unsafe Unmanaged<ArchiveReader>.fromOpaque(me).takeUnretainedValue().supply(block)
        }, nil))
  }

  /// Supplies libarchive with the next bytes.
  private func supply(_ block: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int {
    do throws(CheckpointError) {
      let count = unsafe try input.readSome(into: buffer)
      sawEnd = count == 0
      // SAFETY: libarchive uses these bytes only until it asks for the next ones, or the archive is freed.
      unsafe block.pointee = UnsafeRawPointer(buffer.baseAddress)
      return count
    } catch {
      failure = error
      return Int(ARCHIVE_FATAL)
    }
  }

  private func seek(_ offset: Int64, _ whence: Int32) -> Int64 {
    let length = Int64(input.length ?? 0)
    let start: Int64 =
      switch whence {
      case SEEK_SET: 0
      case SEEK_CUR: Int64(input.position)
      default: length
      }
    let (target, overflow) = start.addingReportingOverflow(offset)
    guard !overflow, (0...length).contains(target) else {
      failure = CheckpointError(
        .incomplete, "the archive continues beyond the end of the file, at \(length)",
        structure: structure, offset: input.position, file: input.name)
      return Int64(ARCHIVE_FATAL)
    }
    do throws(CheckpointError) {
      try input.seek(to: UInt64(target))
      return target
    } catch {
      failure = error
      return Int64(ARCHIVE_FATAL)
    }
  }

  private func check(_ status: Int32) throws(CheckpointError) {
    guard failure != nil || status != ARCHIVE_OK else { return }
    let error = failure ?? libraryError
    failure = error
    throw error
  }

  /// The error that libarchive reports.
  private var libraryError: CheckpointError {
    let text = unsafe archive_error_string(archive)
    let reason = unsafe text.map { unsafe String(cString: $0) } ?? "cannot be read"
    let isMemory = unsafe archive_errno(archive) == ENOMEM
    let isCut = sawEnd && !seeks
    return CheckpointError(
      isMemory ? .refused : isCut ? .incomplete : .damaged,
      isCut ? "the input ends too early: \(reason)" : reason, structure: structure,
      offset: consumed, file: input.name)
  }

  /// The number of input bytes that libarchive has consumed.
  private var consumed: UInt64 { UInt64(max(0, unsafe archive_filter_bytes(archive, -1))) }

  /// The next member; nil at the end.
  func nextMember() throws(CheckpointError) -> Member? {
    if let failure { throw failure }
    let before = unsafe uselocale(locale)
    defer { unsafe uselocale(before) }
    var found: OpaquePointer?
    let status = unsafe archive_read_next_header(archive, &found)
    if let format { structure = "\(format.rawValue) archive" }
    if status == ARCHIVE_EOF && failure == nil { return nil }
    // Warnings concern attributes that are not used, such as an owner's name.
    try check(status == ARCHIVE_WARN ? ARCHIVE_OK : status)
    guard let entry = unsafe found else { return nil }
    let name = unsafe archive_entry_pathname(entry) ?? archive_entry_pathname_utf8(entry)
    let isLink = unsafe archive_entry_hardlink(entry) != nil
    return Member(
      path: unsafe name.map { unsafe String(cString: $0) } ?? "",
      modified: unsafe archive_entry_mtime_is_set(entry) != 0
        ? unsafe (archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)) : nil,
      isFile: unsafe archive_entry_filetype(entry) == S_IFREG && !isLink,
      isEncrypted: unsafe archive_entry_is_encrypted(entry) != 0)
  }

  /// Reads the next bytes of the member; 0 only at its end.
  func read(into target: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int {
    if let failure { throw failure }
    let count = unsafe archive_read_data(archive, target.baseAddress, target.count)
    if count < 0 || failure != nil { try check(ARCHIVE_FATAL) }
    return count
  }

  /// Reads the input that libarchive left.
  ///
  /// - Returns: the number of these bytes.
  func drain() throws(CheckpointError) -> UInt64 {
    let used = consumed
    // An archive in a file was read with seeks, so the bytes that are left mean nothing.
    guard !seeks else { return 0 }
    while unsafe try input.readSome(into: buffer) > 0 {}
    return input.position - used
  }
}
