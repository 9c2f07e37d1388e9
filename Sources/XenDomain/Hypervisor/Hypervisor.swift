#if Xen
internal import CXen
internal import CheckpointCodec
package import CheckpointImage
internal import Glibc
internal import Storage

/// The hypervisor this program runs on. One thread at a time may use it.
///
/// SAFETY: the handles are open from `init` to `deinit`. The logger begins with what Xen's libraries know as a logger,
/// and its last line always ends with a NUL.
@safe package final class Hypervisor {
  /// libxenctrl's handle.
  let control: OpaquePointer
  /// libxenforeignmemory's handle.
  let foreign: OpaquePointer
  /// libxencall's handle.
  let calls: OpaquePointer
  private let logger: UnsafeMutablePointer<vmckpt_logger>

  /// Connects; fails where there is no Xen or no right to use it.
  package init() throws(CheckpointError) {
    guard let logger = unsafe vmckpt_logger_make() else { throw .system("no memory", "Xen") }
    let log = unsafe UnsafeMutableRawPointer(logger).assumingMemoryBound(to: xentoollog_logger.self)
    unsafe self.logger = unsafe logger
    guard let control = unsafe xc_interface_open(log, log, 0),
      let foreign = unsafe xenforeignmemory_open(log, 0), let calls = unsafe xencall_open(log, 0)
    else {
      let error = CheckpointError.system(
        "cannot reach the hypervisor; this must run as root in the control domain (dom0) of a Xen host",
        "/dev/xen/privcmd")
      unsafe vmckpt_logger_free(log)
      throw error
    }
    unsafe self.control = control
    unsafe self.foreign = foreign
    unsafe self.calls = calls
  }

  deinit {
    unsafe xencall_close(calls)
    unsafe xenforeignmemory_close(foreign)
    unsafe xc_interface_close(control)
    unsafe vmckpt_logger_free(
      UnsafeMutableRawPointer(logger).assumingMemoryBound(to: xentoollog_logger.self))
  }

  /// The error of the call that has just failed, with what Xen's libraries said of it.
  func failure(_ doing: String, _ domain: UInt32? = nil) -> CheckpointError {
    let code = errno
    let said = unsafe String(cString: vmckpt_logger_last(logger))
    unsafe vmckpt_logger_clear(logger)
    errno = code
    let what = said.isEmpty ? doing : "\(doing) (\(said.filter { !$0.isNewline }))"
    return .system("cannot \(what)", domain.map { "domain \($0)" } ?? "Xen")
  }

  /// The first two numbers of the version.
  var release: (major: UInt32, minor: UInt32) {
    let number = unsafe xc_version(control, XENVER_version, nil)
    return (UInt32(number >> 16), UInt32(number & 0xffff))
  }

  /// The version, such as `4.17.5`.
  package var version: String {
    var text = [CChar](repeating: 0, count: 64)
    unsafe vmckpt_version(control, &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// What is known of a domain; nil if there is none of that number.
  package func domain(_ id: UInt32) throws(CheckpointError) -> DomainState? {
    var info = vmckpt_domain()
    guard unsafe vmckpt_domain_info(control, id, &info) == 0 else {
      if errno == ESRCH { return nil }
      throw failure("read the state", id)
    }
    return DomainState(info)
  }
}
#endif
