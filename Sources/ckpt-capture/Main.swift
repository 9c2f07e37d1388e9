import ArgumentParser
import XenDomain

@main
enum Main {
  static func main() {
    #if Xen
    OwnProgram.runIfStartedAsHelper()
    #endif
    CaptureCommand.main()
  }
}
