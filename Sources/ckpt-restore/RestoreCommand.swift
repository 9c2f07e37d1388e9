import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Formats
import GuestMemory
import Operations
import Storage

@main
struct RestoreCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "ckpt-restore",
    abstract: "Make a running domain of a checkpoint, or write it in a format others read.",
    discussion: """
      xen: is a domain of this machine's Xen. xl is a file for "xl restore", libxl and libxc the streams inside it, libvirt a file for "virsh \
      restore", xenserver a suspend image, raw plain memory, elf, kdump and lime what crash, gdb and \
      other tools for analysis read. Every page is checked against its digest \
      on the way.
      """,
    version: RunRecord.version)

  @Argument(
    help: "The image to restore; its ancestors are found. - is standard input.", completion: .file()
  )
  var tip: String

  @Option(
    help: ArgumentHelp(
      "Make a domain (xen:), or write xl, libxl, libxc, libvirt, xenserver, raw, elf, kdump or lime.",
      valueName: "format"))
  var to: Target

  @Option(
    help: ArgumentHelp(
      "With --to xl or xen: the domain's configuration, as libxl's JSON or an xl.cfg file.",
      valueName: "file"),
    completion: .file())
  var config: String?

  @Option(
    help: ArgumentHelp(
      "With --to kdump: leave out what makedumpfile -d leaves out, a sum of 1, 2, 4, 8 and 16.",
      valueName: "level"),
    transform: { text in
      guard let level = Int(text).flatMap({ DumpLevel($0) }) else {
        throw ValidationError("--dump-level takes a number from 0 to 31")
      }
      return level
    })
  var dumpLevel: DumpLevel?

  @OptionGroup(title: "With --to kdump") var codec: CodecOptions
  @OptionGroup(title: "A domain") var domain: DomainOptions
  @OptionGroup(title: "Output") var output: FileOutput
  @OptionGroup(title: "Chain") var chain: ChainOptions
  @OptionGroup(title: "Common options") var common: CommonOptions
  @OptionGroup(title: "Common options") var threads: ThreadOptions

  func validate() throws {
    if config != nil && to != .file(.xen(.xl)) && to != .domain {
      throw ValidationError(
        "--config needs --to xl or --to xen: no other format has an xl configuration")
    }
    if (dumpLevel != nil || codec.chosen != nil) && to != .file(.dump(.kdump)) {
      throw ValidationError("--dump-level, --codec and --level need --to kdump")
    }
    if to == .domain {
      if output.isGiven {
        throw ValidationError(
          "--to xen: makes a domain, not a file: -o, --force and --no-sync cannot be used")
      }
    } else {
      if output.path == nil { throw ValidationError("-o FILE is missing: where to write to") }
      if domain.areGiven {
        throw ValidationError("--name, --paused, --clone and --disks-restored need --to xen:")
      }
    }
  }

  private struct Report: Encodable {
    var file: String
    var format: String
    var checkpointID: String
    var shownAsZeros: [String: UInt64]?
    var leftOut: [String: UInt64]?
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    let images = try chain.open(tip)
    let configuration =
      if let config { try GivenConfiguration(config, cancellation: Signals.cancellation) } else {
        GivenConfiguration?.none
      }
    guard case .file(let format) = to, let path = output.path else {
      try domain.restore(images, configuration, common, on: threads.pool)
      return .success
    }
    let file = try output.options.open(path)
    let guest = try DumpedGuest(of: images, as: format, level: dumpLevel, codec: codec.chosen)
    if let obstacle = guest.obstacle {
      Message.print("ckpt-restore: written without a VMCOREINFO note: \(obstacle.message)")
    }
    let progress = ProgressLine("restoring", quiet: common.quiet)
    let missing = try Export.run(
      images, as: format, configuration: configuration, options: guest.options, to: file,
      on: threads.pool, progress: progress.update)
    try file.commit()
    progress.end()
    if common.json && path != "-" {
      var counts = [
        "evicted": missing.evicted, "unreadable": missing.unreadable,
        "unpopulated": missing.unpopulated,
      ]
      if format == .dump(.kdump) {
        counts["byDumpLevel"] = missing.excluded
        counts["notDescribed"] = missing.undescribed
      }
      try Results.printJSON(
        Report(
          file: file.name, format: format.name, checkpointID: images.checkpointID.hex,
          shownAsZeros: format.leavesOut ? nil : counts,
          leftOut: format.leavesOut ? counts : nil))
    } else {
      report(missing, format)
    }
    return .success
  }

  private func report(_ missing: OmittedPages, _ format: FileFormat) {
    let what = format.leavesOut ? "left out" : "shown as zeros"
    if missing.unknown > 0 {
      Message.print(
        "ckpt-restore: \(what): \(missing.evicted) evicted, \(missing.unreadable) unreadable, \(missing.unpopulated) unpopulated pages"
      )
    }
    if missing.excluded > 0, let dumpLevel {
      Message.print(
        "ckpt-restore: left out by --dump-level \(dumpLevel.rawValue): \(Count.text(missing.excluded, "page"))"
      )
    }
    if missing.undescribed > 0 {
      Message.print(
        "ckpt-restore: left out beyond the memory that the kernel describes: \(Count.text(missing.undescribed, "page"))"
      )
    }
  }
}
