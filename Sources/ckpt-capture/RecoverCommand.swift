import ArgumentParser
import CheckpointImage
import CommandLineSupport
#if Xen
import XenDomain
#endif

/// `ckpt-capture --recover`. It writes no image and therefore shares no arguments with the command itself.
struct RecoverCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "ckpt-capture",
    abstract:
      "Undo what captures that were killed together with their guards left behind in guests.")

  @Flag(help: "Undo what is left of killed captures.")
  var recover = false

  @Argument(help: "Only this domain: xen: and its name, number or UUID.")
  var domain: String?

  @OptionGroup(title: "Common options") var common: CommonOptions

  func validate() throws {
    if let domain, !domain.hasPrefix(CaptureCommand.domainPrefix) {
      throw ValidationError("--recover takes a domain: \(CaptureCommand.domainPrefix)NAME")
    }
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    #if Xen
    let name = domain.map { String($0.dropFirst(CaptureCommand.domainPrefix.count)) }
    let outcomes = try Recovery.run(name: name)
    if common.json {
      try Results.printJSON(outcomes.map { Report(domain: "\($0.uuid)", undone: $0.undone) })
    } else if !common.quiet {
      for outcome in outcomes { try Results.print("\(outcome)") }
      if outcomes.isEmpty { try Results.print("nothing is left of a killed capture") }
    }
    return .success
    #else
    throw CheckpointError(.unsupported, "this program was built without Xen", file: "--recover")
    #endif
  }
}

/// The result for one domain, as JSON.
private struct Report: Encodable {
  let domain: String
  let undone: String?
}
