#if Xen
internal import CXen
package import CheckpointImage
internal import Glibc

/// Xen's own toolstack, libxl. One thread at a time may use it.
///
/// SAFETY: the context is open from `init` to `deinit`. The logger begins with what Xen's libraries know as a logger,
/// and its last line always ends with a NUL. Texts of libxl end with a NUL too, and are copied before they are freed.
@safe package final class Toolstack {
  let context: OpaquePointer
  private let logger: UnsafeMutablePointer<vmckpt_logger>
  private var log: UnsafeMutablePointer<xentoollog_logger> {
    unsafe UnsafeMutableRawPointer(logger).assumingMemoryBound(to: xentoollog_logger.self)
  }

  /// Connects.
  package init() throws(CheckpointError) {
    guard let logger = unsafe vmckpt_logger_make() else {
      throw CheckpointError(.io, "no memory", file: "libxl")
    }
    unsafe self.logger = unsafe logger
    var context: OpaquePointer?
    let code = unsafe libxl_ctx_alloc(
      &context, LIBXL_VERSION, 0,
      UnsafeMutableRawPointer(logger).assumingMemoryBound(to: xentoollog_logger.self))
    guard code == 0, let context = unsafe context else {
      throw CheckpointError(.io, "libxl cannot be used: error \(code)", file: "libxl")
    }
    unsafe self.context = context
  }

  deinit {
    unsafe libxl_ctx_free(context)
    unsafe vmckpt_logger_free(log)
  }

  /// The error of a call, with the last thing libxl said.
  func failure(_ doing: String, _ code: Int32, _ domain: UInt32) -> CheckpointError {
    let said = unsafe String(cString: vmckpt_logger_last(logger)).filter { !$0.isNewline }
    unsafe vmckpt_logger_clear(logger)
    return CheckpointError(
      .io, "cannot \(doing): libxl error \(code)\(said.isEmpty ? "" : ": \(said)")",
      file: "domain \(domain)")
  }

  /// The domain's configuration as `xl save` stores it: libxl's JSON, with a NUL at its end.
  package func configuration(_ domain: UInt32) throws(CheckpointError) -> [UInt8] {
    var configuration = unsafe libxl_domain_config()
    unsafe libxl_domain_config_init(&configuration)
    defer { unsafe libxl_domain_config_dispose(&configuration) }
    let code = unsafe libxl_retrieve_domain_configuration(context, domain, &configuration, nil)
    guard code == 0 else { throw failure("read the configuration", code, domain) }
    guard let json = unsafe libxl_domain_config_to_json(context, &configuration) else {
      throw failure("write the configuration as JSON", 0, domain)
    }
    defer { unsafe free(json) }
    return unsafe Array(UnsafeRawBufferPointer(start: json, count: strlen(json) + 1))
  }

  /// The number of the domain of that name; nil if there is none.
  func domain(named name: String) -> UInt32? {
    var id: UInt32 = 0
    return unsafe libxl_name_to_domid(context, name, &id) == 0 ? id : nil
  }

  /// Ends a domain at once, and takes away its devices and what xenstore has of it.
  func destroy(_ domain: UInt32) throws(CheckpointError) {
    let code = unsafe libxl_domain_destroy(context, domain, nil)
    guard code == 0 else { throw failure("destroy it; try xl destroy \(domain)", code, domain) }
  }

  /// The name of a domain; nil if there is no such domain.
  func name(of domain: UInt32) -> String? {
    guard let name = unsafe libxl_domid_to_name(context, domain) else { return nil }
    defer { unsafe free(name) }
    return unsafe String(cString: name)
  }

  /// Whether a program beside the guest emulates devices for it.
  func hasDeviceModel(_ domain: UInt32) throws(CheckpointError) -> Bool {
    let type = try Xenstore().value("/libxl/\(domain)/type")
    return type != "pv" && type != "pvh"
  }
}
#endif
