/// The identities of a moment and of a file (Spec, "Digests and identities").
package enum Identity {
  /// The digest of the machine's state: all records, without the memory.
  package static func machineState(_ records: [RecordKey]) -> Digest {
    var writer = WireWriter()
    writer.write(Array("VMckpt machine state\0".utf8))
    writer.write(UInt64(records.count))
    for key in records {
      writer.write(key.namespace.rawValue)
      writer.write(key.class.rawValue)
      writer.write(key.type)
      writer.write(key.length)
      writer.write(key.digest)
    }
    return SHA256Hasher.digest(of: writer.bytes)
  }

  /// The checkpoint ID: names a moment of a guest, however it is stored.
  package static func checkpoint(captureID: [UInt8], memory: Digest, state: Digest) -> Digest {
    var writer = WireWriter()
    writer.write(Array("VMckpt checkpoint\0".utf8))
    writer.write(captureID)
    writer.write(memory)
    writer.write(state)
    return SHA256Hasher.digest(of: writer.bytes)
  }

  /// The file ID: names one file. The root's body lists every other segment that holds no pages.
  package static func file(rootBody: RawSpan) -> Digest {
    let hasher = SHA256Hasher()
    hasher.update(Array("VMckpt file\0".utf8))
    hasher.update(rootBody)
    return hasher.finish()
  }
}
