import ArgumentParser
#if Xen
import XenDomain
#endif

@main
enum Main {
  static func main() {
    #if Xen
    OwnProgram.runIfStartedAsHelper()
    #endif
    let arguments = CommandLine.arguments.dropFirst().prefix { $0 != "--" }
    if arguments.contains("--recover"), !arguments.contains("--help"), !arguments.contains("-h") {
      RecoverCommand.main()
    } else {
      CaptureCommand.main()
    }
  }
}
