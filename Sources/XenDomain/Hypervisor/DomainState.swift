#if Xen
internal import CXen

/// What the hypervisor says of a domain at a moment.
package struct DomainState: Sendable {
  /// Its number.
  package let id: UInt32
  /// Its UUID.
  package let uuid: DomainUUID
  /// Whether it is being destroyed.
  package let isDying: Bool
  /// Whether a toolstack has paused it.
  package let isPaused: Bool
  /// Why the guest shut down; nil if it has not.
  package let shutdown: ShutdownReason?
  /// Whether it is an HVM or PVH guest, not a PV one.
  package let isHVM: Bool
  /// Pages allocated to it.
  package let pages: UInt64
  /// The machine frame of a PV guest's shared_info.
  let sharedInfo: UInt64
  /// The highest number of a vCPU.
  let lastVCPU: UInt32
  /// Nanoseconds that its vCPUs have run: as long as it stays the same, the guest does not run.
  let timeRun: UInt64

  init(_ info: vmckpt_domain) {
    func has(_ flag: UInt32) -> Bool { info.flags & flag != 0 }
    id = info.id
    // SAFETY: an array of bytes, which is copied.
    uuid = DomainUUID(unsafe withUnsafeBytes(of: info.uuid) { unsafe Array($0) })
    isDying = has(1 << 0)
    isHVM = has(1 << 1)
    let hasShutDown = has(1 << 2)
    isPaused = has(1 << 3)
    shutdown = hasShutDown ? ShutdownReason(code: info.flags >> 16 & 0xff) : nil
    pages = info.pages
    sharedInfo = info.shared_info
    lastVCPU = info.max_vcpu
    timeRun = info.cpu_time
  }
}

extension DomainState {
  /// What the guest does, in a word.
  var activity: String {
    switch shutdown {
    case nil: isPaused ? "paused" : "running"
    case .suspend: "suspended"
    case .crash: "crashed"
    case let reason?: "shut down (\(reason))"
    }
  }
}

/// Why a guest shut down: `SHUTDOWN_*` in Xen's sched.h.
package enum ShutdownReason: UInt32, Sendable {
  case powerOff = 0
  case reboot = 1
  case suspend = 2
  case crash = 3
  case watchdog = 4
  case softReset = 5
  /// A code this program does not know.
  case other = 255

  init(code: UInt32) { self = ShutdownReason(rawValue: code) ?? .other }
}

extension ShutdownReason: CustomStringConvertible {
  /// In words.
  package var description: String {
    switch self {
    case .powerOff: "power-off"
    case .reboot: "reboot"
    case .suspend: "suspend"
    case .crash: "crash"
    case .watchdog: "watchdog"
    case .softReset: "soft reset"
    case .other: "for an unknown reason"
    }
  }
}
#endif
