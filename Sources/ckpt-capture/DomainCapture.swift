import CheckpointChain
import CheckpointCodec
import CheckpointImage
import CommandLineSupport
import Formats
import GuestMemory
import Operations
import Storage
#if Xen
import XenDomain
#endif

extension CaptureCommand {
  /// The prefix of a source that is a running domain.
  static let domainPrefix = "xen:"

  #if Xen
  /// Captures a running domain.
  func captureDomain(_ name: String) throws(CheckpointError) -> ExitStatus {
    var options = LiveOptions(cancellation: Signals.cancellation)
    options.paused = domain.pause
    options.maximumPause = .milliseconds(domain.maxPause ?? 100)
    options.stageLimit = domain.stageLimit?.bytes ?? LiveOptions.usualStageLimit
    options.interval = domain.every.map { .seconds($0) }
    options.count = domain.count
    options.eviction = eviction.evict ?? (domain.memoryOnly ? .none : .free)
    switch domain.squeeze {
    case nil: break
    case .auto: options.squeeze = .auto
    case .size(let size): options.squeeze = .bytes(size.bytes)
    }
    options.hook = domain.hookPaused.map {
      PauseHook(command: $0, patience: .seconds(domain.hookTimeout ?? 10))
    }
    let progress = ProgressLine("capturing", quiet: common.quiet)
    let report = DomainReport(common, output, progress)
    if domain.memoryOnly {
      let source = try MemoryOnlySource(name, options, report: report.show)
      defer { source.close() }
      try run(source, report, progress)
      return .success
    }
    let source = try LiveSource(name, options, report: report.show)
    defer { source.close() }
    try run(source, report, progress)
    return .success
  }

  private func run(
    _ source: some MomentSeries, _ report: DomainReport, _ progress: ProgressLine
  ) throws(CheckpointError) {
    var capture = try capture()
    // The domain still exists and can be captured again.
    capture.keepsUnfinished = false
    let numbered = NumberedName(output.output)
    let series = CaptureSeries(
      capture, takesSeveral: numbered != nil, provenance: { RunRecord.begin("capture") }
    ) {
      (number) throws(CheckpointError) in try output.open(numbered?.path(number))
    }
    _ = try series.run(.source(source), on: threads.pool, progress: progress.update) {
      (provenance) throws(CheckpointError) in
      provenance.add("end", UTCTime.now)
    } done: { (file, result) throws(CheckpointError) in
      let image = ImageReport(
        file: file, root: result.image.root, fileID: result.image.fileID,
        bytes: result.image.fileLength)
      try report.show(image, memoryOnly: domain.memoryOnly)
    }
    progress.end()
  }
  #else
  func captureDomain(_ name: String) throws(CheckpointError) -> ExitStatus {
    throw CheckpointError(
      .unsupported, "this program was built without Xen: it captures from files only", file: source)
  }
  #endif
}
