#if Xen
internal import CXen
internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc
internal import Storage

/// The tree of settings that the toolstack and the guests share. A guest may write to parts of its own
/// folder: what is read there is to be distrusted. One thread at a time may use it.
///
/// SAFETY: the handle is open from `init` to `deinit`; what a call returns is of the length that it says, and is copied
/// before it is freed.
@safe final class Xenstore {
  private let handle: OpaquePointer

  /// Connects.
  init() throws(CheckpointError) {
    guard let handle = unsafe xs_open(0) else { throw .system("cannot reach", "xenstore") }
    unsafe self.handle = handle
  }

  deinit { unsafe xs_close(handle) }

  /// The value of a node; nil if there is no such node.
  func value(_ path: String) throws(CheckpointError) -> String? { try value(path, in: 0) }

  private func value(_ path: String, in transaction: xs_transaction_t) throws(CheckpointError)
    -> String?
  {
    var count: UInt32 = 0
    guard let bytes = unsafe xs_read(handle, transaction, path, &count) else {
      if errno == ENOENT { return nil }
      throw .system("cannot read", "xenstore \(path)")
    }
    defer { unsafe free(bytes) }
    return unsafe String(
      decoding: UnsafeRawBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
  }

  /// Writes `value` to a node if `condition` holds for what is there; whether it did. Nobody writes between
  /// the two.
  func set(_ path: String, to value: String, if condition: (String?) -> Bool)
    throws(CheckpointError)
    -> Bool
  {
    // Each time something else is written meanwhile, it fails; a guest might do that on purpose.
    for _ in 0..<1000 {
      let transaction = unsafe xs_transaction_start(handle)
      guard transaction != 0 else { throw .system("cannot begin a transaction", "xenstore") }
      var isWritten = false
      do throws(CheckpointError) {
        if condition(try self.value(path, in: transaction)) {
          guard unsafe xs_write(handle, transaction, path, value, UInt32(value.utf8.count)) else {
            throw .system("cannot write", "xenstore \(path)")
          }
          isWritten = true
        }
      } catch {
        unsafe xs_transaction_end(handle, transaction, true)
        throw error
      }
      if unsafe xs_transaction_end(handle, transaction, !isWritten) { return isWritten }
      guard errno == EAGAIN else { throw .system("cannot write", "xenstore \(path)") }
    }
    throw CheckpointError(
      .io, "cannot write: others write there all the time", file: "xenstore \(path)")
  }

  /// Where a guest's balloon driver reads how much memory it shall have, in KiB.
  static func memoryTarget(_ domain: UInt32) -> String { "/local/domain/\(domain)/memory/target" }

  /// Notifies xenstored that a domain runs again, so that its next shutdown is announced.
  func noteResume(_ domain: UInt32) { unsafe _ = xs_resume_domain(handle, domain) }

  /// Waits until some domain has shut down or gone, `milliseconds` at most.
  func waitForShutdown(milliseconds: Int32) throws(CheckpointError) {
    if !isWatching {
      guard unsafe xs_watch(handle, "@releaseDomain", "shutdown") else {
        throw .system("cannot watch", "xenstore @releaseDomain")
      }
      isWatching = true
    }
    var descriptor = pollfd(fd: unsafe xs_fileno(handle), events: Int16(POLLIN), revents: 0)
    unsafe poll(&descriptor, 1, milliseconds)
    while let event = unsafe xs_check_watch(handle) { unsafe free(event) }
  }
  private var isWatching = false
}
#endif
