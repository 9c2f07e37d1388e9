import ArgumentParser
import CommandLineSupport

/// Options for capturing a running domain.
struct DomainOptions: ParsableArguments {
  @Flag(help: "Copy everything while the guest is paused, without copying rounds before.")
  var pause = false

  @Flag(
    help:
      "Read memory and processors without the guest's help, which may hang or have crashed; no guest can go on from such an image."
  )
  var memoryOnly = false

  @Option(
    help: ArgumentHelp(
      "Aim for a pause of at most this many milliseconds (default: 100).", valueName: "ms"))
  var maxPause: Int?

  @Option(
    help: ArgumentHelp(
      "Use at most this much memory for pages copied in the pause, such as 512M (default: half of what is free).",
      valueName: "size"))
  var stageLimit: MemoryAmount?

  @Option(
    help: ArgumentHelp(
      "Have the guest give up memory first, down to a size such as 512M, or with auto all that it does not use or can read again from its disks; afterwards it gets it back.",
      valueName: "size"))
  var squeeze: SqueezeAmount?

  @Option(
    help: ArgumentHelp(
      "Make images at this interval in seconds: a base, then increments.", valueName: "seconds"))
  var every: Double?

  @Option(help: ArgumentHelp("Stop after this many images.", valueName: "n"))
  var count: Int?

  @Option(
    help: ArgumentHelp(
      "Run a shell command while the guest is paused, such as one that makes a snapshot of its disks; what it prints is recorded.",
      valueName: "command"))
  var hookPaused: String?

  @Option(
    help: ArgumentHelp(
      "Kill that command after this many seconds (default: 10).", valueName: "seconds"))
  var hookTimeout: Double?

  // Handled by RecoverCommand; declared here for help and completion.
  @Flag(
    help: "Make no image: undo what killed captures left behind, in the domain given or in all.")
  var recover = false

  func validate() throws {
    if let maxPause, maxPause < 0 { throw ValidationError("--max-pause takes milliseconds") }
    if memoryOnly && (maxPause != nil || hookPaused != nil) {
      throw ValidationError(
        "--max-pause and --hook-paused need a guest that suspends itself: not with --memory-only")
    }
    if memoryOnly && stageLimit != nil && !pause {
      throw ValidationError("--stage-limit needs a paused guest: --memory-only --pause")
    }
    if squeeze != nil && memoryOnly {
      throw ValidationError("--squeeze needs the guest's help: not with --memory-only")
    }
    if squeeze != nil && every != nil {
      throw ValidationError(
        "--squeeze takes the guest's cache away, and is for single images: not with --every")
    }
    if let every, !(every > 0 && every < 1e9) {
      throw ValidationError("--every takes a number of seconds above 0")
    }
    if let count, count < 1 { throw ValidationError("--count takes a number of at least 1") }
    if count != nil && every == nil { throw ValidationError("--count needs --every") }
    if hookTimeout != nil && hookPaused == nil {
      throw ValidationError("--hook-timeout needs --hook-paused")
    }
    if let hookTimeout, !(hookTimeout > 0 && hookTimeout < 1e6) {
      throw ValidationError("--hook-timeout takes a number of seconds above 0")
    }
  }

  /// The name of the first option that was given; nil if none was.
  var given: String? {
    let options: [(String, Bool)] = [
      ("--pause", pause), ("--memory-only", memoryOnly), ("--max-pause", maxPause != nil),
      ("--stage-limit", stageLimit != nil), ("--squeeze", squeeze != nil),
      ("--every", every != nil), ("--count", count != nil),
      ("--hook-paused", hookPaused != nil),
    ]
    return options.first { $0.1 }?.0
  }
}

/// How far a guest is squeezed.
enum SqueezeAmount: ExpressibleByArgument {
  case auto
  case size(MemoryAmount)

  init?(argument: String) {
    if argument == "auto" {
      self = .auto
    } else if let size = MemoryAmount(argument: argument) {
      self = .size(size)
    } else {
      return nil
    }
  }
}

/// A number of bytes, such as 512M or 2G.
struct MemoryAmount: ExpressibleByArgument {
  let bytes: UInt64

  init?(argument: String) {
    let units: [Character: UInt64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
    let unit = argument.last.flatMap { units[$0] }
    guard let number = UInt64(unit == nil ? argument[...] : argument.dropLast()) else { return nil }
    let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: unit ?? 1)
    guard !isTooLarge else { return nil }
    self.bytes = bytes
  }
}
