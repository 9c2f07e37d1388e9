internal import CCrypto

/// A SHA-256 value: 32 bytes.
public struct Digest: Hashable, Sendable {
  // Four words in memory order, so that comparing and hashing need no loop over bytes.
  var words: (UInt64, UInt64, UInt64, UInt64)

  /// 32 zero bytes: "no digest", as in the parent field of a base.
  public static let zero = Digest(words: (0, 0, 0, 0))

  /// The digest of a page whose bytes are all zero; no page in state data has it.
  public static let ofZeroPage = SHA256Hasher.digest(
    of: [UInt8](repeating: 0, count: Limits.pageSize))

  /// The number of bytes of a digest.
  public static let byteCount = 32

  /// The 32 bytes, in order.
  public var bytes: [UInt8] {
    var words = words
    return unsafe withUnsafeBytes(of: &words) { unsafe Array($0) }
  }

  /// The value as 64 hexadecimal digits.
  public var hex: String { Hexadecimal.string(bytes) }

  /// Whether both have the same value.
  public static func == (a: Digest, b: Digest) -> Bool {
    // Not short-circuited on purpose: one branch for the whole comparison.
    ((a.words.0 ^ b.words.0) | (a.words.1 ^ b.words.1) | (a.words.2 ^ b.words.2)
      | (a.words.3 ^ b.words.3)) == 0
  }

  /// Feeds the value to a hasher.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }
}

extension Digest: CustomStringConvertible {
  /// The first 16 hexadecimal digits, enough to recognise a digest in a message.
  public var description: String { String(hex.prefix(16)) }
}

/// A SHA-256 computation, reused for many messages (libcrypto's context is made once).
@safe package final class SHA256Hasher {
  private let context: OpaquePointer

  /// Makes a hasher, ready for its first message.
  package init() {
    guard let context = unsafe EVP_MD_CTX_new(),
      unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
    else { fatalError("libcrypto has no SHA-256") }  // Not input: a broken installation.
    unsafe self.context = context
  }

  deinit { unsafe EVP_MD_CTX_free(context) }

  /// Adds bytes to the message.
  package func update(_ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes {
      _ = unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count)
    }
  }

  /// Adds bytes to the message.
  package func update(_ bytes: [UInt8]) { update(bytes.rawSpan) }

  /// Adds a digest's 32 bytes to the message.
  package func update(_ digest: Digest) {
    var words = digest.words
    unsafe withUnsafeBytes(of: &words) {
      _ = unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count)
    }
  }

  /// Adds some digests, 32 bytes each, to the message.
  package func update(_ digests: [Digest]) {
    unsafe digests.withUnsafeBytes {
      _ = unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count)
    }
  }

  /// The digest of the message; the hasher then starts the next one.
  package func finish() -> Digest {
    var digest = Digest.zero
    unsafe withUnsafeMutableBytes(of: &digest.words) {
      _ = unsafe EVP_DigestFinal_ex(
        context, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), nil)
    }
    // A nil type keeps the algorithm: no look-up for each message.
    _ = unsafe EVP_DigestInit_ex(context, nil, nil)
    return digest
  }

  /// The digest of one message.
  package func digest(of bytes: RawSpan) -> Digest {
    update(bytes)
    return finish()
  }

  /// The digest of one message.
  package static func digest(of bytes: RawSpan) -> Digest { SHA256Hasher().digest(of: bytes) }

  /// The digest of one message.
  package static func digest(of bytes: [UInt8]) -> Digest {
    SHA256Hasher().digest(of: bytes.rawSpan)
  }
}
