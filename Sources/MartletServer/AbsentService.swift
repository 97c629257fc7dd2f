// What a caller hears of a service that AWS has and this server has not: so, and in the form that its client reads.
import MartletCore
import MartletWire
import NIOCore

package enum AbsentService {
  package static func reply(_ name: String, to request: HTTPRequest, _ call: Call) -> HTTPReply {
    let message =
      "Martlet does not implement the service \(name). It has \(ServiceTable.names.joined(separator: ", "))."
    let error = AWSError("NotImplementedException", status: 501, message, type: "Service")
    var reply: HTTPReply
    if name == "s3" {
      reply = s3(message, request, call)
    } else if request.header("X-Amz-Target") != nil {
      reply = json(message)
    } else if request.header("Content-Type")?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true {
      reply = QueryError.reply(to: error, namespace: "https://\(name).amazonaws.com/", call)
    } else {
      reply = RESTService<Void>.reply(to: error)
    }
    reply.headers.append(("x-amzn-RequestId", call.requestID.description))
    return reply
  }

  /// `<Error><Code>NotImplemented</Code>…`
  private static func s3(_ message: String, _ request: HTTPRequest, _ call: Call) -> HTTPReply {
    var xml = XMLWriter()
    xml.element("Error") { xml in
      xml.element("Code", "NotImplemented")
      xml.element("Message", message)
      xml.element("Resource", String(request.path))
      xml.element("RequestId", call.requestID.description)
    }
    return HTTPReply(status: 501, headers: [("Content-Type", "application/xml")], body: xml.buffer)
  }

  /// `{"__type":"NotImplementedException","message":…}`
  private static func json(_ message: String) -> HTTPReply {
    var json = JSONWriter()
    json.object { w in
      w.name("__type")
      w.value("NotImplementedException")
      w.name("message")
      w.value(message)
    }
    return HTTPReply(status: 501, headers: [("Content-Type", "application/x-amz-json-1.0")], body: json.buffer)
  }
}

/// The services that this server has, by their signing names. Node makes one `WireService` for each.
package enum ServiceTable {
  package static let names = [
    "cloudtrail", "events", "iam", "kinesis", "lambda", "logs", "monitoring", "s3", "scheduler", "sns", "sqs", "sts",
    "xray",
  ]
}
