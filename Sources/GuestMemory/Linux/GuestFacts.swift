internal import CheckpointImage

/// What can be told of a guest without looking at its processes. All text is the guest's: it may hold anything.
package struct GuestFacts: Sendable {
  /// The kernel's release, such as `6.1.0-56-amd64`.
  package var release: String
  /// The kernel's banner: release, who built it, with what, and when; nil if it was not found.
  package var banner: String?
  /// What the kernel says of its build, as `uname -v` shows it: the banner from `#` on. Nil if it was not found.
  package var build: String? {
    guard let banner, let start = banner.lastIndex(of: "#") else { return nil }
    return String(banner[start...].prefix { $0 != "\n" })
  }
  /// The command line the kernel was started with; nil if it was not found.
  package var commandLine: String?
  /// When it was started, by its own clock: nanoseconds since 1970; nil if it is not known.
  package var bootTime: Int64?
  /// Levels of page tables: 4 or 5.
  package var pagingLevels: Int
  /// How far the kernel was moved from the addresses it was linked for; nil if it does not tell.
  package var kernelOffset: UInt64?
  /// Whether free pages are filled with a pattern that is checked when they are used again (`page_poison=1`):
  /// they must not come back as zeros. Nil if it is not known.
  package var isPoisoningFreePages: Bool?

  init(_ guest: LinuxGuest) throws(CheckpointError) {
    release = guest.information.release
    pagingLevels = guest.tables.levels
    kernelOffset = guest.information.kernelOffset
    banner = try Self.banner(guest)
    if let pointer = try Self.word(guest, "saved_command_line") {
      commandLine = try Self.text(guest, at: pointer)
    }
    bootTime = try Self.bootTime(guest)
    // A static key begins with the number of those who switched it on.
    if let key = try guest.symbol("_page_poisoning_enabled"),
      let count = try guest.bytes(at: key, count: 4)
    {
      isPoisoningFreePages = count.u32(0) != 0
    }
  }

  /// The constant that `/proc/version` is like. Where the kernel does not tell its place it is the first of its kind:
  /// newer kernels, which tell, have a draft of it too.
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

  /// The clock keeps what must be added to the time since boot, without and with suspended times, to get the
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
    // The kernel keeps the first of these twice; where they differ, this is not the clock.
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow, whole &+ part == 0 &- real, real > 0, boot >= 0, boot <= real else {
      return nil
    }
    return real - boot
  }

  private static func clock(_ guest: LinuxGuest, _ types: TypeInformation) throws(CheckpointError)
    -> UInt64?
  {
    // An array, one for each clock, since Linux 6.17.
    var symbol = try guest.symbol("timekeeper_data")
    if symbol == nil { symbol = try guest.symbol("tk_core") }
    if let place = symbol {
      if let member = types.member("tk_data", "timekeeper") {
        return place &+ UInt64(member.offset)
      }
      // Before Linux 6.13 a structure without a name: a sequence counter, then the clock.
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

  /// The longest text that is taken.
  private static let longestText = 4096

  /// The text that ends with a zero byte or a line break.
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
