package import ArgumentParser
package import CheckpointCodec
package import CheckpointImage
internal import Formats
package import GuestMemory
package import Operations

extension EvictionPolicy: ExpressibleByArgument {
  /// The policy with this name; nil if there is none.
  package init?(argument: String) {
    guard let policy = Self.allCases.first(where: { "\($0)" == argument }) else { return nil }
    self = policy
  }

  /// The names of all policies, for help and completion.
  package static var allValueStrings: [String] { allCases.map { "\($0)" } }
}

/// Options of tools that leave pages out.
package struct EvictionOptions: ParsableArguments {
  /// The classes of pages to leave out; nil for the default.
  @Option(
    help: ArgumentHelp(
      "Leave out pages by what a Linux guest uses them for: none, free, cache or user (default: none; ckpt-capture: free for a running domain).",
      valueName: "policy"))
  package var evict: EvictionPolicy?

  /// Files that list pages by number.
  @Option(
    help: ArgumentHelp("Leave out the pages that this text file names.", valueName: "file"),
    completion: .file())
  package var evictList: String?

  /// Kdump-compressed files whose missing pages are left out.
  @Option(
    help: ArgumentHelp(
      "Leave out what makedumpfile left out of this kdump-compressed dump.", valueName: "file"),
    completion: .file())
  package var evictKdump: String?

  /// Options without values, which ArgumentParser fills in.
  package init() {}

  /// Throws if standard input would be read more than once.
  ///
  /// - Parameter inputs: the other inputs of the tool.
  package func check(beside inputs: String?...) throws {
    guard (inputs + [evictList, evictKdump]).count(where: { $0 == "-" }) <= 1 else {
      throw ValidationError("standard input can be used only once")
    }
  }

  /// The request for these options.
  ///
  /// - Parameter policy: the policy if none was given.
  package func request(otherwise policy: EvictionPolicy = .none) throws(CheckpointError)
    -> EvictionRequest
  {
    var request = EvictionRequest(evict ?? policy)
    if let evictList {
      request.named.append(try EvictionList.read(evictList, cancellation: Signals.cancellation))
    }
    if let evictKdump {
      request.named.append(try KdumpExclusions.read(evictKdump, cancellation: Signals.cancellation))
    }
    return request
  }
}

extension EvictionDecision {
  /// Warns about pages that are kept because their use is unknown.
  package func warn(of file: String) {
    if let reason = guest?.unfittingNote {
      Message.print(
        "\(toolName): warning: \(file): its VMCOREINFO note does not fit its memory (\(reason)); the text found in memory is used"
      )
    }
    if let obstacle {
      Message.print(
        "\(toolName): warning: \(file): \(obstacle.reason): the use of its pages is unknown, so all are kept"
      )
    } else if unknownPages > 0 {
      Message.print(
        "\(toolName): warning: \(file): the use of \(unknownPages) pages is unknown, so they are kept"
      )
    }
  }

  /// Warns about pages that were to be left out but do not exist.
  package func warn(of file: String, after tally: EvictionTally) {
    let absent = absentPages(after: tally)
    guard absent > 0 else { return }
    Message.print(
      "\(toolName): warning: \(file): of \(plan.pageCount) pages that were to be left out, \(absent) have no contents there"
        + (tally.met > 0 ? "" : ": a PFN is an address divided by 4096")
    )
  }
}
