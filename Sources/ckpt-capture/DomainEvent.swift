#if Xen
import CommandLineSupport
import XenDomain

/// A step in the capture of a running domain, as a line of JSON. Times are in milliseconds.
struct DomainEvent: Encodable {
  struct Pause: Encodable {
    var handshake: Double
    var copy: Double
    var classify: Double
    var hook: Double
    var resume: Double
    var total: Double

    init(_ times: PauseTimes) {
      handshake = times.handshake.inMilliseconds
      copy = times.copy.inMilliseconds
      classify = times.classify.inMilliseconds
      hook = times.hook.inMilliseconds
      resume = times.resume.inMilliseconds
      total = times.total.inMilliseconds
    }
  }

  var event: String
  var message: String?
  var round: Int?
  var pages: Int?
  var pagesBefore: Int?
  var bytes: Int?
  var milliseconds: Double?
  var pause: Pause?
  var evicted: [String: Int]?
  var image: ImageReport?
  var memoryOnly: Bool?

  init(_ event: String, message: String? = nil) {
    self.event = event
    self.message = message
  }

  /// Sets the number of pages, and their size in bytes.
  mutating func count(_ pages: Int) {
    self.pages = pages
    bytes = pages * 4096
  }
}

extension Duration {
  var inMilliseconds: Double {
    Double(components.seconds) * 1000 + Double(components.attoseconds / 1_000_000_000_000) / 1000
  }
}
#endif
