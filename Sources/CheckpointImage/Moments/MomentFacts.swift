/// What is known of a moment besides its memory and the machine's state: when it was, how it was taken, whose it is, and
/// whether its guest can go on.
///
/// This is the one place that decides by it, and that makes its texts: version 0.9 of the format keeps them in the
/// provenance (Spec, "Provenance").
package struct MomentFacts: Hashable, Sendable {
  /// How the pages of a moment belong together.
  package enum Consistency: String, Sendable {
    /// One moment.
    case atomic
    /// Pages as of one moment, collected later.
    case instantaneous
    /// Pages of several moments.
    case smeared
  }

  /// The two kinds of guest in Xen's streams.
  package enum GuestType: String, Sendable {
    /// Paravirtualized: the guest sees machine frames.
    case pv = "PV"
    /// With hardware support: HVM and PVH.
    case hvm = "HVM"
  }

  /// When the moment was.
  package struct Time: Hashable, Sendable {
    /// How it is known.
    package enum Origin: String, CaseIterable, Sendable {
      /// The guest was suspended then.
      case suspended = "live.suspended"
      /// Pages were read from then on, of a guest that ran on.
      case began = "live.began"
      /// The source was last written to then.
      case sourceModified = "source.modified"
      /// The capture began then: nothing better is known.
      case captureStarted = "start"
    }

    /// UTC as ISO 8601 has it, with nanoseconds.
    package var text: String
    /// How it is known.
    package var origin: Origin

    /// A time.
    package init(_ text: String, _ origin: Origin) {
      self.text = text
      self.origin = origin
    }
  }

  /// Why no guest can go on from a moment.
  package enum Obstacle: Hashable, Sendable {
    /// The guest did not suspend itself: its memory was read for analysis.
    case notSuspended
    /// Pages that it would miss were evicted, for this reason.
    case evicted(EvictionReason)
    /// The source broke off behind its memory: parts of the machine's state are missing.
    case incompleteSource
    /// The source broke off while memory was sent: what came of a page may be an older copy.
    case uncertainPages
  }

  /// The UUID of the guest, as its host writes it.
  package var guestID: String?
  /// The kind of guest.
  package var guestType: GuestType?
  /// How the pages belong together.
  package var consistency: Consistency?
  /// When the moment was.
  package var time: Time?
  /// Why no guest can go on from it; empty if nothing is known against that.
  package var obstacles: Set<Obstacle> = []
  /// What the command printed that ran in the pause, such as the name of a snapshot of the disks.
  package var diskSnapshot: String?
  /// Whether the image was salvaged since: what it lacks, a guest would miss.
  package var isSalvaged = false

  /// Nothing is known.
  package init() {}

  // MARK: Texts

  private enum Key {
    static let guestID = "domain.uuid"
    static let guestType = "guest.type"
    static let consistency = "consistency"
    static let restorable = "restorable"
    static let reason = "restorable.reason"
    static let diskSnapshot = "hook.snapshot"
    static let action = "action"
  }

  private static let evictedPrefix = "evicted: "
  private static let otherReasons: [(obstacle: Obstacle, text: String)] = [
    (.incompleteSource, "incomplete source"), (.uncertainPages, "uncertain pages"),
  ]

  /// The facts in the history of an image, oldest first: the last capture decides.
  package init(_ history: [Provenance]) {
    let capture = history.lastIndex { $0[Key.action] == "capture" } ?? 0
    guard capture < history.count else { return }
    let facts = history[capture]
    guestID = facts[Key.guestID]
    guestType = facts[Key.guestType].flatMap { GuestType(rawValue: $0) }
    consistency = facts[Key.consistency].flatMap { Consistency(rawValue: $0) }
    time =
      Time.Origin.allCases.lazy.compactMap { origin in
        facts[origin.rawValue].map { Time($0, origin) }
      }.first
    diskSnapshot = facts[Key.diskSnapshot]
    isSalvaged = history[capture...].contains { $0[Key.action] == "salvage" }
    // Eviction may have come with a merge.
    for provenance in history[capture...] where provenance[Key.restorable] == "no" {
      guard let reason = provenance[Key.reason] else {
        obstacles.insert(.notSuspended)
        continue
      }
      for part in reason.split(separator: ";").map({ $0.trimmingPrefix(while: \.isWhitespace) }) {
        for other in Self.otherReasons where part == other.text { obstacles.insert(other.obstacle) }
        guard part.hasPrefix(Self.evictedPrefix) else { continue }
        let names = part.dropFirst(Self.evictedPrefix.count).split(separator: ",")
          .map { $0.trimmingPrefix(while: \.isWhitespace) }
        for reason in EvictionReason.allCases where names.contains("\(reason)") {
          obstacles.insert(.evicted(reason))
        }
      }
    }
  }

  /// Adds everything but the time that the capture began, which every provenance has, and what is only found in it.
  package func add(to provenance: inout Provenance) {
    if let guestID { provenance.add(Key.guestID, guestID) }
    if let guestType { provenance.add(Key.guestType, guestType.rawValue) }
    if let consistency { provenance.add(Key.consistency, consistency.rawValue) }
    if let time, time.origin != .captureStarted {
      provenance.add(time.origin.rawValue, time.text)
    }
    if let diskSnapshot { provenance.add(Key.diskSnapshot, diskSnapshot) }
    addObstacles(to: &provenance)
  }

  /// Adds whether a guest can go on.
  package func addObstacles(to provenance: inout Provenance) {
    guard !obstacles.isEmpty else { return }
    provenance.add(Key.restorable, "no")
    guard !obstacles.contains(.notSuspended) else { return }
    let reasons = obstacles.compactMap { obstacle -> String? in
      guard case .evicted(let reason) = obstacle else { return nil }
      return "\(reason)"
    }
    var texts = Self.otherReasons.filter { obstacles.contains($0.obstacle) }.map(\.text)
    if !reasons.isEmpty {
      texts.append(Self.evictedPrefix + reasons.sorted().joined(separator: ", "))
    }
    provenance.add(Key.reason, texts.joined(separator: "; "))
  }

  // MARK: Guests

  /// Why two moments are of different guests, as far as both identify it: what differs, before and after.
  package func differences(from before: MomentFacts) -> [(
    fact: String, before: String, after: String
  )] {
    let facts: [(fact: String, before: String?, after: String?)] = [
      (Key.guestID, before.guestID, guestID),
      (Key.guestType, before.guestType?.rawValue, guestType?.rawValue),
    ]
    return facts.compactMap { fact in
      guard let old = fact.before, let new = fact.after, old != new else { return nil }
      return (fact.fact, old, new)
    }
  }
}
