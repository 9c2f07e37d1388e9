#if Xen
internal import CXen
internal import CheckpointCodec
package import CheckpointImage
internal import Glibc
internal import Storage

/// A process that waits until a domain shuts down and does what its configuration says for that case, as
/// the one that `xl create` leaves behind does. A guest that suspends itself is not its concern.
package final class DomainMonitor {
  private let hypervisor: Hypervisor
  private let toolstack: Toolstack
  private let xenstore: Xenstore
  private var domain: DomainIdentity
  private let lock: LockFile

  /// Leaves one behind for a domain, unless it has one of ours.
  package static func leave(_ domain: UInt32, name: String) throws(CheckpointError) {
    let null = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
    guard null >= 0 else { throw .system("cannot open", "/dev/null") }
    defer { close(null) }
    let file = name.split(separator: "/").joined(separator: "_")
    let log = unsafe open(
      "/var/log/xen/ckpt-monitor-\(file).log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    defer { if log >= 0 { close(log) } }
    _ = try OwnProgram.start(
      [OwnProgram.monitorArgument, "\(domain)"], input: null, output: log < 0 ? null : log,
      isSheltered: false)
  }

  /// Watches the domain of that number until it is gone; the exit status.
  static func run(_ arguments: [String]) -> Int32 {
    guard arguments.count == 1, let id = UInt32(arguments[0]) else { return 64 }
    _ = unsafe chdir("/")
    do throws(CheckpointError) {
      try DomainMonitor(id)?.watch()
      return 0
    } catch {
      log("\(error)")
      return 2
    }
  }

  /// Nil if the domain has gone already, or has a monitor.
  private init?(_ id: UInt32) throws(CheckpointError) {
    hypervisor = try Hypervisor()
    toolstack = try Toolstack()
    xenstore = try Xenstore()
    guard let state = try hypervisor.domain(id),
      let lock = try LockFile("\(state.uuid).monitor")
    else { return nil }
    domain = DomainIdentity(id: id, uuid: state.uuid)
    self.lock = lock
  }

  deinit { lock.remove() }

  private func watch() throws(CheckpointError) {
    Self.log("watching domain \(domain.id)")
    while let state = try hypervisor.domain(domain.id), state.uuid == domain.uuid, !state.isDying {
      if let reason = state.shutdown, reason != .suspend {
        guard try act(on: reason) else { return }
      } else {
        // Not for ever: an event may be lost when xenstored is busy.
        try xenstore.waitForShutdown(milliseconds: 10_000)
      }
    }
    Self.log("domain \(domain.id) is gone")
  }

  /// Does what the configuration says; whether there is a domain to watch afterwards.
  ///
  /// SAFETY: libxl fills the configuration and frees it, and pointers in it are handed to libxl alone meanwhile. The
  /// names of its enumerations are constant texts.
  private func act(on reason: ShutdownReason) throws(CheckpointError) -> Bool {
    var configuration = unsafe libxl_domain_config()
    unsafe libxl_domain_config_init(&configuration)
    defer { unsafe libxl_domain_config_dispose(&configuration) }
    try check(
      unsafe libxl_retrieve_domain_configuration(
        toolstack.context, domain.id, &configuration, nil), "read the configuration")
    let action = unsafe Self.action(configuration, reason)
    let name = unsafe String(cString: libxl_action_on_shutdown_to_string(action))
    Self.log("domain \(domain.id) has shut down (\(reason)): \(name)")
    switch action {
    case LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_DESTROY, LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_RESTART:
      Self.log("no core is dumped: that is not supported here")
    default: break
    }
    switch action {
    case LIBXL_ACTION_ON_SHUTDOWN_PRESERVE: return false
    case LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET:
      Self.log("a soft reset is not supported here: the domain is left as it is")
      return false
    case LIBXL_ACTION_ON_SHUTDOWN_RESTART_RENAME:
      var uuid = libxl_uuid()
      unsafe libxl_uuid_generate(&uuid)
      try check(
        unsafe libxl_domain_preserve(
          toolstack.context, domain.id, &configuration.c_info, "-\(domain.id)", uuid),
        "rename")
    default:
      try check(unsafe libxl_domain_destroy(toolstack.context, domain.id, nil), "destroy")
    }
    switch action {
    case LIBXL_ACTION_ON_SHUTDOWN_RESTART, LIBXL_ACTION_ON_SHUTDOWN_RESTART_RENAME,
      LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_RESTART:
      unsafe try restart(&configuration)
      return true
    default: return false
    }
  }

  // SAFETY: these fields are plain numbers.
  private static func action(_ configuration: libxl_domain_config, _ reason: ShutdownReason)
    -> libxl_action_on_shutdown
  {
    switch reason {
    case .powerOff: unsafe configuration.on_poweroff
    case .reboot: unsafe configuration.on_reboot
    case .crash: unsafe configuration.on_crash
    case .watchdog: unsafe configuration.on_watchdog
    case .softReset: unsafe configuration.on_soft_reset
    case .suspend, .other: LIBXL_ACTION_ON_SHUTDOWN_DESTROY
    }
  }

  /// Creates the domain anew and lets it run.
  private func restart(_ configuration: inout libxl_domain_config) throws(CheckpointError) {
    var id: UInt32 = 0
    var code: Int32 = 0
    // What the old one held may still be on its way back.
    for attempt in 0..<5 {
      if attempt > 0 { sleep(2) }
      code = unsafe libxl_domain_create_new(toolstack.context, &configuration, &id, nil, nil)
      if code == 0 { break }
    }
    try check(code, "create anew")
    domain = DomainIdentity(id: id, uuid: domain.uuid)
    try check(unsafe libxl_domain_unpause(toolstack.context, id, nil), "unpause")
    Self.log("it runs again as domain \(id)")
  }

  private func check(_ code: Int32, _ doing: String) throws(CheckpointError) {
    guard code == 0 else { throw toolstack.failure(doing, code, domain.id) }
  }

  private static func log(_ text: String) {
    var seconds = time(nil)
    var buffer = [CChar](repeating: 0, count: 32)
    let count = unsafe strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ ", gmtime(&seconds))
    let line = String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    let bytes = Array((line + text + "\n").utf8)
    unsafe _ = write(STDOUT_FILENO, bytes, bytes.count)
  }
}
#endif
