import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Formats

#if Xen
import XenDomain
#endif

/// Options for restoring to a domain.
struct DomainOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Give the domain this name.", valueName: "name"))
  var name: String?

  @Flag(help: "Leave the domain paused.")
  var paused = false

  @Flag(
    help:
      "Make a second domain: a UUID of its own, no network, disks it can only read; needs --name.")
  var clone = false

  @Flag(help: "The disks are as they were at the moment of the checkpoint.")
  var disksRestored = false

  var areGiven: Bool { name != nil || paused || clone || disksRestored }

  func validate() throws {
    if clone && name == nil { throw ValidationError("--clone needs --name: a name of its own") }
    if clone && disksRestored {
      throw ValidationError("--disks-restored is not for --clone: a clone only reads its disks")
    }
  }

  /// Creates the domain and reports it.
  func restore(
    _ images: Chain, _ configuration: GivenConfiguration?, _ common: CommonOptions,
    on pool: WorkerPool
  ) throws(CheckpointError) {
    #if Xen
    let start = ContinuousClock.now
    let restore = try DomainRestore(
      images, configuration: configuration,
      DomainRestore.Options(
        name: name, isPaused: paused, isClone: clone, disksAreRestored: disksRestored))
    let progress = ProgressLine("restoring", quiet: common.quiet)
    let made = try restore.run(on: pool, progress: progress.update)
    progress.end()
    let time = start.duration(to: .now).components
    if common.json {
      try Results.printJSON(
        Report(
          checkpointID: images.checkpointID.hex, domain: made.id, name: made.name,
          paused: paused,
          seconds: Double(time.seconds) + Double(time.attoseconds / 1_000_000_000_000_000) / 1000,
          uuid: "\(made.uuid)"))
    } else if !common.quiet {
      Message.print("domain \(made.name) (id \(made.id)) \(paused ? "is paused" : "runs")")
      Message.print(
        paused ? "resume it: xl unpause \(made.name)" : "its console: xl console \(made.name)")
    }
    #else
    throw CheckpointError(
      .unsupported,
      "--to xen: is not possible, this program was built without Xen's libraries; write a file with --to xl -o FILE, then: xl restore FILE"
    )
    #endif
  }

  private struct Report: Encodable {
    var checkpointID: String
    var domain: UInt32
    var name: String
    var paused: Bool
    var seconds: Double
    var uuid: String
  }
}
