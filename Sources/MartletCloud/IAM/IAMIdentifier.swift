// Unique ids and access keys: a prefix that tells the kind, and letters and digits of base 32.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
import MartletCore

enum IAMIdentifier {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".unicodeScalars)

  /// 21 characters that begin with a prefix of four, such as `AROA`.
  static func make(_ prefix: String, _ world: any World) -> String {
    var text = prefix
    var word: UInt64 = 0
    for i in 0..<17 {
      if i.isMultiple(of: 12) { word = world.random() }
      text.unicodeScalars.append(alphabet[Int(word & 31)])
      word >>= 5
    }
    return text
  }

  /// 21 characters for something that has no id of its own; the same ones for the same name.
  static func derived(_ prefix: String, from name: String) -> String {
    var text = prefix
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    for _ in 0..<17 {
      hash = hash &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      text.unicodeScalars.append(alphabet[Int(hash >> 59)])
    }
    return text
  }

  /// 20 characters: a prefix, then 80 bits of which the first is 1, the next 40 are the account, the rest is chance.
  /// AWS's own keys carry their account in the same place.
  static func accessKey(_ prefix: String, _ account: Account, _ world: any World) -> String {
    let number = UInt64(account.id) ?? 0
    let chance = world.random()
    var bits: [Bool] = [true]
    for i in (0..<40).reversed() { bits.append(number >> UInt64(i) & 1 == 1) }
    for i in 0..<39 { bits.append(chance >> UInt64(i) & 1 == 1) }
    var text = prefix
    for group in 0..<16 {
      let value = bits[(group * 5)..<(group * 5 + 5)].reduce(0) { $0 * 2 + ($1 ? 1 : 0) }
      text.unicodeScalars.append(alphabet[value])
    }
    return text
  }

  /// The account that an access key carries; nil if the text is no key.
  static func account(ofAccessKey key: String) -> Account? {
    guard key.utf8.count == 20 else { return nil }
    var number: UInt64 = 0
    var seen = 0
    for scalar in key.unicodeScalars.dropFirst(4) {
      guard let value = alphabet.firstIndex(of: scalar) else { return nil }
      for i in (0..<5).reversed() {
        if (1...40).contains(seen) { number = number << 1 | UInt64(value >> i & 1) }
        seen += 1
      }
    }
    let digits = String(number)
    guard digits.utf8.count <= 12 else { return nil }
    return Account(String(repeating: "0", count: 12 - digits.utf8.count) + digits)
  }

  /// 40 characters for a secret access key.
  static func secret(_ world: any World) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".unicodeScalars)
    var text = ""
    var word: UInt64 = 0
    for i in 0..<40 {
      if i.isMultiple(of: 10) { word = world.random() }
      text.unicodeScalars.append(letters[Int(word & 63)])
      word >>= 6
    }
    return text
  }
}
