import Archives
import ArgumentParser
import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Formats
import GuestMemory
import KdumpLibrary
import Operations
import Storage

extension FileFormat: ExpressibleByArgument {
  package init?(argument: String) { self.init(name: argument) }

  package static var allValueStrings: [String] { all.map(\.name) }
}

struct CaptureCommand: Tool {
  static let configuration = CommandConfiguration(
    commandName: "ckpt-capture",
    abstract: "Make a checkpoint image of a guest's memory and machine state.",
    discussion: """
      SOURCE is a file of xl save or virsh save, a XenServer suspend image, a libxl or libxc stream, an ELF core \
      file, a kdump-compressed dump or a LiME image of a machine's memory, or with --format raw plain memory; - is standard input. It may be compressed, or a member of an archive \
      (ARCHIVE:MEMBER, or the only one that fits). xen:DOMAIN is a running guest, as root in dom0; it is \
      paused only briefly. With --parent the image is an increment: it \
      holds only what differs from the parent. Of a checkpointed (Remus) stream each moment becomes \
      an image; then FILE is a pattern such as web-%04d.ckpt.
      """,
    version: RunRecord.version)

  @Argument(
    help: "The file to capture from, or xen:DOMAIN; - is standard input.", completion: .file())
  var source: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Make an increment on this image.", valueName: "image"),
    completion: .file())
  var parent: String?

  @Option(
    help: ArgumentHelp(
      "Take the source as xl, libxl, libxc, libvirt, xenserver, raw, elf, kdump or lime (default: recognise it).",
      valueName: "format"))
  var format: FileFormat?

  @Flag(
    help:
      "Of a save file that breaks off while memory is saved, keep what came, for analysis: a later copy of each page may be missing."
  )
  var keepUncertain = false

  @Flag(help: "Record the SHA-256 of the source file.")
  var hashSource = false

  @OptionGroup(title: "Eviction") var eviction: EvictionOptions
  @OptionGroup(title: "Running domain") var domain: DomainOptions
  @OptionGroup(title: "Compression") var codec: CodecOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Chain") var chain: ChainOptions
  @OptionGroup(title: "Common options") var common: CommonOptions
  @OptionGroup(title: "Common options") var threads: ThreadOptions

  func validate() throws {
    try eviction.check(beside: source, parent)
    let isDomain = source.hasPrefix(Self.domainPrefix)
    if !isDomain, let option = domain.given {
      throw ValidationError("\(option) needs a running domain: \(Self.domainPrefix)NAME")
    }
    if isDomain && (eviction.evictList != nil || eviction.evictKdump != nil) {
      throw ValidationError("--evict-list and --evict-kdump need a file, not a running domain")
    }
    if isDomain && (hashSource || keepUncertain || format != nil) {
      throw ValidationError(
        "--format, --keep-uncertain and --hash-source need a file, not a running domain")
    }
    if domain.every != nil && NumberedName(output.output) == nil {
      throw ValidationError("--every needs a name for many images, such as -o 'web-%04d.ckpt'")
    }
  }

  func execute() throws(CheckpointError) -> ExitStatus {
    if source.hasPrefix(Self.domainPrefix) {
      return try captureDomain(String(source.dropFirst(Self.domainPrefix.count)))
    }
    return try captureFile()
  }

  /// The settings of the capture, with the parent if one was given.
  func capture() throws(CheckpointError) -> Capture {
    var moment: ParentState?
    if let parent {
      moment = ParentState(try chain.open(parent))
    }
    return Capture(settings: codec.chosen ?? CodecSettings(), parent: moment)
  }

  private func captureFile() throws(CheckpointError) -> ExitStatus {
    let source = try SourceInput.open(
      source, as: format, cancellation: Signals.cancellation)
    let input = source.input
    if let lookalike = source.lookalike {
      Message.print(
        "ckpt-capture: warning: \(input.name): \(lookalike); it is taken as plain memory all the same, because of --format raw"
      )
    }
    if hashSource { input.startDigest() }
    let name = NumberedName(output.output)
    let capture = try capture()
    let parentName = capture.parent?.tip.name
    let pool = threads.pool
    let progress = ProgressLine("capturing", quiet: common.quiet)
    // Opened first: reading the source, to decide what to leave out, may take long.
    var first: (any ByteSink)? = try output.open(name?.path(0))
    let (moments, decision) = try eviction.request().prepare(
      open(source), for: capture, on: pool, progress: progress.update)
    decision?.warn(of: input.name)
    let series = CaptureSeries(
      capture, takesSeveral: name != nil, provenance: { RunRecord.begin("capture") }
    ) {
      (number) throws(CheckpointError) in
      defer { first = nil }
      if let first { return first }
      return try output.open(name?.path(number))
    }
    var reports: [ImageReport] = []
    var status = ExitStatus.success
    var told = 0
    func tell(_ remarks: [SourceRemark]) {
      for remark in remarks.dropFirst(told) {
        if remark.weight == .incomplete { status = .no }
        if remark.weight == .note && common.quiet { continue }
        Message.print(
          "ckpt-capture: \(remark.weight == .note ? "note" : "warning"): \(remark.what.message)")
      }
      told = max(told, remarks.count)
    }
    let cut = try series.run(moments, on: pool, progress: progress.update) {
      (provenance) throws(CheckpointError) in
      decision?.describe(in: &provenance)
      try record(input, &provenance)
    } done: { (file, result) throws(CheckpointError) in
      progress.end()
      var report = ImageReport(
        file: file, root: result.image.root, fileID: result.image.fileID,
        bytes: result.image.fileLength)
      decision?.warn(of: input.name, after: result.evicted)
      report.record(result.evicted, of: decision)
      report.record(result.remarks)
      reports.append(report)
      tell(result.remarks)
      if !common.json { try reports.last?.show(common, output) }
    }
    progress.end()
    // What lies behind the last moment is known only now.
    tell(moments.facts.remarks)
    if let cut {
      Message.print("ckpt-capture: warning: the last moment is left out: \(cut.message)")
    }
    if let parentName { output.noteParent(parentName, quiet: common.quiet) }
    if common.json {
      if name != nil {
        try Results.printJSON(reports)
      } else {
        try reports.last?.show(common, output)
      }
    }
    return status
  }

  /// Kdump-compressed files need a library that only this tool loads.
  private func open(_ source: SourceInput) throws(CheckpointError) -> any DescribedSource {
    try source.format.open(
      source.input, keepingUncertain: keepUncertain, kdump: KdumpSource.open)
  }

  /// Adds facts about the source that are known only after it was read.
  private func record(_ input: InputStream, _ provenance: inout Provenance) throws(CheckpointError)
  {
    if !input.containers.isEmpty {
      provenance.add("source.container", input.containers.joined(separator: ", "))
    }
    if let time = input.modified {
      provenance.add(
        "source.modified", UTCTime.text(seconds: time.seconds, nanoseconds: time.nanoseconds))
    }
    // The digest covers the whole source only at its end.
    if hashSource {
      guard try input.isExhausted(), let digest = input.finishDigest() else {
        throw CheckpointError(
          .refused, "--hash-source needs a source of one moment, not a checkpointed stream",
          file: input.name)
      }
      provenance.add("source.sha256", digest.hex)
    }
    provenance.add("end", UTCTime.now)
  }
}
