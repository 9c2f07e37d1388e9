#if Xen
import CommandLineSupport
import XenDomain

/// Tells the user what happens in the capture of a running domain.
final class DomainReport {
  private let common: CommonOptions
  private let progress: ProgressLine

  init(_ common: CommonOptions, _ progress: ProgressLine) {
    self.common = common
    self.progress = progress
  }

  func tell(_ news: LiveNews) {
    switch news {
    case .noDirtyLog:
      warn(
        "the hypervisor keeps no dirty log for this guest: each image reads all of its memory, and the guest "
          + "stands still while that is copied")
    case .leftOut(let error): warn("this image is left out: \(error)")
    case .ended(let name):
      warn("\(name) has ended; waiting for a minute whether it is started again")
    case .startedAgain(let id):
      warn("it was started again as domain \(id): the next image is a base")
    case .logLost:
      warn(
        "somebody else switched the dirty log off (xl save, xl migrate?): all pages are compared")
    case .stageFull(let pages):
      warn(
        "\(Count.text(pages, "page")) more must be copied in the pause than --stage-limit has room for: "
          + "the pause lasts until they are compressed")
    case .hookFailed(let problem): warn("the command of --hook-paused \(problem)")
    case .recovered(let text): warn(text)
    case .notUndone(let error): warn("\(error)")
    case .unreadable(let pages):
      warn(
        "\(Count.text(pages, "page")) could not be read and \(pages == 1 ? "is" : "are") recorded as unreadable"
      )
    case .hasRun:
      warn(
        "somebody else let the guest go on while it was read: the image is smeared, not of one moment"
      )
    case .round(let number, let pages): say("round \(number): \(Count.text(pages, "page"))")
    case .roundsEnd(let reason): say("no more rounds: \(reason.rawValue)")
    case .resumed(let times, let pages):
      let parts = times.parts.map { "\($0.name) \($0.time.milliseconds)" }
      say("pause: \(Count.text(pages, "page")), " + parts.joined(separator: ", "))
    }
  }

  func tellMemoryOnly() { say("memory only: no guest can go on from this image") }

  private func warn(_ text: String) {
    progress.end()
    Message.print("\(toolName): warning: \(text)")
  }

  private func say(_ text: String) {
    guard !common.quiet else { return }
    progress.end()
    Message.print(text)
  }
}
#endif
