#if Xen
import CheckpointImage
import CommandLineSupport
import XenDomain

/// Reports on the capture of a running domain: as text, or as lines of JSON.
final class DomainReport {
  private let common: CommonOptions
  private let output: OutputOptions
  private let progress: ProgressLine

  init(_ common: CommonOptions, _ output: OutputOptions, _ progress: ProgressLine) {
    self.common = common
    self.output = output
    self.progress = progress
  }

  func show(_ event: LiveEvent) {
    switch event {
    case .noDirtyLog:
      warn(
        "no-dirty-log",
        "the hypervisor keeps no dirty log for this guest: each image reads all of its memory, and the guest "
          + "is paused while that is copied")
    case .leftOut(let error): warn("left-out", "this image is left out: \(error.message)")
    case .ended(let name):
      warn("ended", "\(name) has ended; waiting a minute for it to be started again")
    case .startedAgain(let id):
      warn("started-again", "it was started again as domain \(id): the next image is a base")
    case .notStartedAgain: warn("not-started-again", "it was not started again: the series ends")
    case .logLost:
      warn(
        "log-lost",
        "somebody else switched the dirty log off (xl save, xl migrate?): all pages are compared")
    case .stageFull(let pages):
      warn(
        "stage-full",
        "\(Count.text(pages, "page")) more must be copied in the pause than --stage-limit has room for: "
          + "the pause lasts until they are compressed")
    case .hookFailed(let problem):
      warn("hook-failed", "the command of --hook-paused \(problem)")
    case .recovered(let text): warn("recovered", text)
    case .notUndone(let error): warn("not-undone", error.message)
    case .allKept(let error):
      warn(
        "all-kept",
        "\(error): the use of the guest's pages is unknown, so all are kept")
    case .evicted(let pages):
      var event = DomainEvent("evicted")
      event.count(pages.reduce(0) { $0 + $1.pages })
      event.evicted = Dictionary(
        pages.map { ("\($0.reason)", $0.pages) }, uniquingKeysWith: { first, _ in first })
      show(event, "left out: " + pages.map { "\($0.pages) \($0.reason)" }.joined(separator: ", "))
    case .unreadable(let pages):
      warn(
        "unreadable",
        "\(Count.text(pages, "page")) could not be read and \(pages == 1 ? "is" : "are") recorded as unreadable"
      )
    case .hasRun:
      warn(
        "has-run",
        "somebody else resumed the guest while it was read: the image is smeared, not of one moment"
      )
    case .squeezed(let from, let to, let time, let end):
      var event = DomainEvent("squeezed", message: end.rawValue)
      event.bytes = Int(clamping: to &* 4096)
      event.pages = Int(clamping: to)
      event.pagesBefore = Int(clamping: from)
      event.milliseconds = time.inMilliseconds
      let sizes = [from, to].map { ByteCount.text($0 &* 4096) }
      show(
        event,
        "squeezed from \(sizes[0]) to \(sizes[1]) in \(time.milliseconds): \(end.rawValue)")
    case .squeezeEnds(let end):
      warn("squeeze-ends", "the squeezed guest got all its memory back early: \(end.rawValue)")
    case .round(let number, let round):
      var event = DomainEvent("round")
      event.round = number
      event.count(round.pages)
      event.milliseconds = round.time.inMilliseconds
      let size = ByteCount.text(UInt64(round.bytes))
      show(
        event,
        "round \(number): \(Count.text(round.pages, "page")), \(size), \(round.time.milliseconds)")
    case .roundsEnd(let reason):
      show(
        DomainEvent("rounds-end", message: reason.rawValue), "no more rounds: \(reason.rawValue)")
    case .resumed(let times, let pages):
      var event = DomainEvent("resumed")
      event.count(pages)
      event.pause = DomainEvent.Pause(times)
      let parts = times.parts.map { "\($0.name) \($0.time.milliseconds)" }
      let size = ByteCount.text(UInt64(pages * 4096))
      show(event, "pause: \(Count.text(pages, "page")), \(size), " + parts.joined(separator: ", "))
    }
  }

  /// Reports an image that was written.
  func show(_ image: ImageReport, memoryOnly: Bool) throws(CheckpointError) {
    progress.end()
    guard isJSON else {
      try image.show(common, output)
      if memoryOnly && !common.quiet {
        Message.print("memory only: no guest can go on from this image")
      }
      return
    }
    var event = DomainEvent("image")
    event.image = image
    if memoryOnly { event.memoryOnly = true }
    try Results.printJSONLine(event)
  }

  private var isJSON: Bool { common.json && output.output != "-" }

  private func warn(_ event: String, _ text: String) {
    progress.end()
    Message.print("\(toolName): warning: \(text)")
    print(DomainEvent(event, message: text))
  }

  private func show(_ event: DomainEvent, _ text: String) {
    print(event)
    guard !common.quiet, !isJSON else { return }
    progress.end()
    Message.print(text)
  }

  /// Errors are ignored, since work on the guest must go on without a reader; the next image will report them.
  private func print(_ event: DomainEvent) {
    if isJSON { try? Results.printJSONLine(event) }
  }
}
#endif
