internal import CheckpointImage

/// Facts about a guest that do not require looking at its processes. All text comes from the guest and may
/// contain anything.
package struct GuestFacts: Sendable {
  /// The kernel's release, such as `6.1.0-56-amd64`.
  package var release: String
  /// The kernel's banner: release, builder, compiler, time; nil if it was not found.
  package var banner: String?
  /// The kernel's build string, as `uname -v` prints it: the banner from `#` on. Nil if it was not found.
  package var build: String? {
    guard let banner, let start = banner.lastIndex(of: "#") else { return nil }
    return String(banner[start...].prefix { $0 != "\n" })
  }
  /// The kernel's command line; nil if it was not found.
  package var commandLine: String?
  /// When it was booted, by its own clock, in nanoseconds since 1970; nil if unknown.
  package var bootTime: Int64?
  /// Levels of page tables: 4 or 5.
  package var pagingLevels: Int
  /// How far the kernel was moved from its link address; nil if it does not state that.
  package var kernelOffset: UInt64?
  /// Whether free pages are filled with a pattern that is checked when they are used again (`page_poison=1`),
  /// so that they must not become zeros. Nil if unknown.
  package var isPoisoningFreePages: Bool?
  /// What is wrong with the VMCOREINFO note of the source, if the text was found elsewhere in memory.
  package var unfittingNote: String?

  init(_ guest: LinuxGuest) throws(CheckpointError) {
    release = guest.information.release
    unfittingNote = guest.unfittingNote
    pagingLevels = guest.tables.levels
    kernelOffset = guest.information.kernelOffset
    banner = try Self.banner(guest)
    if let pointer = try Self.word(guest, "saved_command_line") {
      commandLine = try Self.text(guest, at: pointer)
    }
    bootTime = try Self.bootTime(guest)
    // A static key begins with the number of users that enabled it.
    if let key = try guest.symbol("_page_poisoning_enabled"),
      let count = try guest.bytes(at: key, count: 4)
    {
      isPoisoningFreePages = count.u32(0) != 0
    }
  }

  /// The text of `/proc/version`. Where the kernel does not state its address, the first match is taken: newer
  /// kernels, which do, also contain a template of it.
  private static func banner(_ guest: LinuxGuest) throws(CheckpointError) -> String? {
    if let place = try guest.symbol("linux_banner") { return try text(guest, at: place) }
    var banner: String?
    let start = Array("Linux version \(guest.information.release) ".utf8)
    try guest.image().search(start, guest.pages) { (place) throws(CheckpointError) in
      banner = try text(guest, at: place)
      return true
    }
    return banner
  }

  /// The kernel's clock keeps the offsets from the time since boot, without and with suspended times, to the
  /// time of day.
  private static func bootTime(_ guest: LinuxGuest) throws(CheckpointError) -> Int64? {
    guard let types = try guest.types, let keeper = types.size("timekeeper"), keeper < 1 << 16,
      let start = try clock(guest, types),
      let bytes = try guest.bytes(at: start, count: keeper)
    else { return nil }
    func value(_ name: String) -> Int64? {
      guard let member = types.member("timekeeper", name), member.size == 8,
        member.offset + 8 <= keeper
      else { return nil }
      return Int64(bitPattern: bytes.u64(member.offset))
    }
    guard let real = value("offs_real"), let boot = value("offs_boot"),
      let seconds = value("wall_to_monotonic.tv_sec"), let part = value("wall_to_monotonic.tv_nsec")
    else { return nil }
    // The kernel stores the first of these twice; if they differ, this is not the clock.
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow, whole &+ part == 0 &- real, real > 0, boot >= 0, boot <= real else {
      return nil
    }
    return real - boot
  }

  private static func clock(_ guest: LinuxGuest, _ types: TypeInformation) throws(CheckpointError)
    -> UInt64?
  {
    // An array with an element per clock, since Linux 6.17.
    var symbol = try guest.symbol("timekeeper_data")
    if symbol == nil { symbol = try guest.symbol("tk_core") }
    if let place = symbol {
      if let member = types.member("tk_data", "timekeeper") {
        return place &+ UInt64(member.offset)
      }
      // Before Linux 6.13 an anonymous structure: a sequence counter, then the clock.
      if let counter = types.size("seqcount_raw_spinlock_t") ?? types.size("seqcount_t"),
        counter < 1 << 12
      {
        return place &+ UInt64((counter + 7) & ~7)
      }
    }
    return nil
  }

  private static func word(_ guest: LinuxGuest, _ symbol: String) throws(CheckpointError) -> UInt64?
  {
    guard let place = try guest.symbol(symbol) else { return nil }
    return try guest.bytes(at: place, count: 8)?.u64(0)
  }

  /// The longest accepted text, in bytes.
  private static let longestText = 4096

  /// The text up to a zero byte or a line break.
  private static func text(_ guest: LinuxGuest, at start: UInt64) throws(CheckpointError) -> String?
  {
    var text: [UInt8] = []
    while text.count < longestText {
      let (place, overflow) = start.addingReportingOverflow(UInt64(text.count))
      guard !overflow, let more = try guest.bytes(at: place, count: Int(4096 - place % 4096)) else {
        return nil
      }
      if let end = more.firstIndex(where: { $0 == 0 || $0 == UInt8(ascii: "\n") }) {
        return String(decoding: text + more[..<end], as: UTF8.self)
      }
      text += more
    }
    return nil
  }
}
