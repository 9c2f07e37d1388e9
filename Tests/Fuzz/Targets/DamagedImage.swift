/// A sealed image of which a part is gone: the input is `{u16 Cut, u16 Place}` and that of a `SealedImage`.
/// So many bytes are missing at its end, and 16 bytes at the place are zero, if it is inside.
struct DamagedImage {
  let bytes: [UInt8]
  /// The image before.
  let sound: SealedImage

  init(_ input: [UInt8]) {
    sound = SealedImage(Array(input.dropFirst(4)))
    let head = Array(input.prefix(4)) + [UInt8](repeating: 0xff, count: max(0, 4 - input.count))
    let cut = Int(head[0]) | Int(head[1]) << 8
    let place = Int(head[2]) | Int(head[3]) << 8
    var bytes = Array(sound.bytes.dropLast(cut % sound.bytes.count))
    for offset in place..<place + 16 where offset < bytes.count { bytes[offset] = 0 }
    self.bytes = bytes
  }
}
