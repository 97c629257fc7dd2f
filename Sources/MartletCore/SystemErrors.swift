// errno as words.
import Glibc

/// The C library's text for an errno, such as "Permission denied".
package func systemErrorText(_ code: Int32) -> String {
  String(cString: strerror(code))
}

/// The text in the style of the programs that AWS's own environments print: lower-case first letter.
package func systemErrorPhrase(_ code: Int32) -> String {
  let text = systemErrorText(code)
  guard let first = text.first else { return text }
  return first.lowercased() + text.dropFirst()
}
