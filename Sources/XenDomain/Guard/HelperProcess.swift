#if Xen
internal import Glibc

extension OwnProgram {
  /// Does the work of a guard or monitor and ends the process, if it was started as one. Every program that captures
  /// or restores calls this first.
  package static func runIfStartedAsHelper() {
    let arguments = CommandLine.arguments
    guard arguments.count > 1 else { return }
    switch arguments[1] {
    case guardArgument:
      name("ckpt-guard")
      exit(GuardProcess.run(Array(arguments[2...])))
    case monitorArgument:
      name("ckpt-monitor")
      exit(DomainMonitor.run(Array(arguments[2...])))
    default: return
    }
  }
}
#endif
