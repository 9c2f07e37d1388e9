import Archives
import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Formats
import Storage

@main
struct VerifyCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "ckpt-verify",
    abstract: "Check a checkpoint image and all its ancestors, or a Xen save file or stream.",
    discussion: """
      A file of xl save or virsh save, a XenServer suspend image, or a libxl or libxc stream is checked \
      for all that Xen's restore relies on.

      Each finding is one line: file, byte offset, structure, what was found and what was expected. \
      Exit status 0 means sound, 1 damaged or incomplete, 2 that the check could not be made or completed. \
      With --salvage a sound image is made of what is left of a damaged one: 0 means that nothing was lost, \
      1 that something was, 2 that no image was made.
      """,
    version: RunRecord.version)

  @Argument(help: "The image or stream to check; - is standard input.", completion: .file())
  var image: String

  @Flag(help: "Check structure, links and checksums only, not every page.")
  var quick = false

  @Option(
    help: ArgumentHelp(
      "Write what is still sound to this file, as an image of its own.", valueName: "file"),
    completion: .file())
  var salvage: String?

  @Flag(help: "With --salvage: replace an existing file.")
  var force = false

  @Flag(help: "With --salvage: do not wait until the file is on disk.")
  var noSync = false

  @OptionGroup(title: "Chain") var chain: ChainOptions
  @OptionGroup(title: "Common options") var common: CommonOptions
  @OptionGroup(title: "Common options") var threads: ThreadOptions

  private struct Report: Encodable {
    var sound: Bool
    var obstacle: String?
    var images: Int
    var segments: UInt64
    var pages: UInt64
    var bytes: UInt64
    var findings: [FindingReport]
  }

  func validate() throws {
    if quick && salvage != nil {
      throw ValidationError("--quick does not check pages, so it cannot be used with --salvage")
    }
    if (force || noSync) && salvage == nil {
      throw ValidationError("--force and --no-sync belong to --salvage")
    }
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    if let salvage { return try rescue(to: salvage) }
    let progress = ProgressLine("verifying", quiet: common.quiet)
    // A local file refuses what is not regular, such as a pipe without a writer, instead of waiting for it. A volume may
    // hold a stream, but no image: that would have to end with it.
    let isDevice = LocalFile.isBlockDevice(image)
    let regular = image == "-" || isDevice ? nil : try openStorage(image)
    let input = try InputStream(image, cancellation: Signals.cancellation)
    if let stream = try SourceInput.stream(in: input) {
      let check = XenStreamCheck(stream.input, stream.format)
      try check.run(progress: progress.update)
      progress.end()
      try StreamVerdict(check).show(common)
      return check.findings.isEmpty ? .success : Self.status(of: check.findings)
    }
    guard !isDevice else {
      throw CheckpointError(
        .refused, "is a block device and holds no stream of Xen", offset: 0, file: image)
    }
    let file: any RangeReader = if let regular { regular } else { try LocalFile(spooling: input) }
    let check = Verification(quick ? .quick : .full, on: threads.pool, progress: progress.update)
    try check.run(file, finding: chain.finder(of: image))
    progress.end()
    if common.json { try Results.printJSON(report(check)) } else { try print(check) }
    if !check.findings.isEmpty { return Self.status(of: check.findings) }
    return check.obstacle == nil ? .success : .failure
  }

  /// Damage means the answer *no*; if the only findings are unsupported features, there is no answer.
  private static func status(of findings: [CheckpointError]) -> ExitStatus {
    findings.allSatisfy { ExitStatus($0) == .failure } ? .failure : .no
  }

  private func rescue(to output: String) throws(CheckpointError) -> ExitStatus {
    let file = try openOutput(output, force: force, sync: !noSync)
    let progress = ProgressLine("salvaging", quiet: common.quiet)
    let result = try Salvage.run(
      openStorage(image), finding: chain.finder(of: image),
      provenance: RunRecord.begin("salvage"), to: file,
      on: threads.pool, progress: progress.update
    ) { $0.add("end", UTCTime.now) }
    try file.commit()
    progress.end()
    try SalvageReport(result, file: file.name).show(common, dataOnStandardOutput: output == "-")
    return result.isComplete ? .success : .no
  }

  private func print(_ check: Verification) throws(CheckpointError) {
    for finding in check.findings { try Results.print("\(finding)") }
    if let obstacle = check.obstacle {
      Message.print("ckpt-verify: not fully checked: \(obstacle.message)")
    }
    guard !common.quiet else { return }
    let counts = check.counts
    Message.print(
      [
        Count.text(counts.images, "image"), Count.text(counts.segments, "segment"),
        quick ? "pages not checked" : Count.text(counts.pages, "page"),
        ByteCount.text(counts.bytes),
      ].joined(separator: ", ") + ": \(verdict(check))")
  }

  private func verdict(_ check: Verification) -> String {
    guard check.findings.isEmpty else { return Count.text(check.findings.count, "finding") }
    return check.obstacle == nil ? "sound" : "nothing wrong in what could be checked"
  }

  private func report(_ check: Verification) -> Report {
    Report(
      sound: check.findings.isEmpty && check.obstacle == nil,
      obstacle: check.obstacle.map(\.message), images: check.counts.images,
      segments: check.counts.segments, pages: check.counts.pages, bytes: check.counts.bytes,
      findings: check.findings.map { FindingReport($0) })
  }
}
