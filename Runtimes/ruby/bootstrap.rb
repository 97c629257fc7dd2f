# Martlet's Ruby runtime: the loop between the Runtime API and a handler, Ruby 2.7 and later, nothing but its library.
# What a function can see (context, log lines, error documents) is AWS's.
require "json"
require "logger"
require "socket"
require "time"

module Martlet
  RUNTIME_NAME = "aws-lambda-ruby/#{RUBY_VERSION}-martlet".freeze
  XRAY_CAUSE_BYTES = 60 * 1024 # longer causes are left out: a header has to carry them
  FRAME_TEXT = 0xa55a0003
  FRAME_JSON = 0xa55a0002
  LEVELS = %w[DEBUG INFO WARN ERROR FATAL].freeze
  ERROR = LEVELS.index("ERROR")

  # HTTP/1.1 on one kept connection. The server gone is the end of this process.
  class RuntimeAPI
    Answer = Struct.new(:status, :headers, :body)

    def initialize(address)
      host, _, port = address.rpartition(":")
      @common = "Host: #{address}\r\nUser-Agent: #{RUNTIME_NAME}\r\n"
      @socket = TCPSocket.new(host, Integer(port))
      @socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
      @socket.binmode
    end

    def next
      @socket.write("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n#{@common}\r\n")
      receive
    end

    # What a stem cell is to become; the answer comes when that is known, which may be hours.
    def order
      @socket.write("GET /_martlet/order HTTP/1.1\r\n#{@common}\r\n")
      answer = receive
      raise IOError, "the Runtime API answered #{answer.status} to order" if answer.status != 200
      answer.body.split("\0")
    end

    def post(path, body, content_type: "application/json", head: "")
      body = body.b
      @socket.write(
        "POST /2018-06-01/runtime/#{path} HTTP/1.1\r\n#{@common}Content-Type: #{content_type}\r\n#{head}" \
        "Content-Length: #{body.bytesize}\r\n\r\n".b + body
      )
      status = receive.status
      raise IOError, "the Runtime API answered #{status} to #{path}" if status >= 500
    end

    private

    def receive
      status = Integer(line.split(" ")[1])
      headers = {}
      until (field = line).empty?
        name, _, value = field.partition(":")
        headers[name.strip.downcase] = value.strip.force_encoding(Encoding::UTF_8)
      end
      body = headers["transfer-encoding"].to_s.casecmp?("chunked") ? chunks : take(Integer(headers["content-length"] || 0))
      Answer.new(status, headers, body.force_encoding(Encoding::UTF_8))
    end

    def chunks
      body = "".b
      while (size = line.to_i(16)).positive?
        body << take(size)
        line
      end
      nil until line.empty?
      body
    end

    def take(count)
      return "".b if count.zero?
      body = @socket.read(count)
      raise EOFError, "the Runtime API closed the connection" if body.nil? || body.bytesize < count
      body
    end

    def line
      (@socket.gets || raise(EOFError, "the Runtime API closed the connection")).chomp
    end
  end

  # What a handler is told about its invocation.
  class LambdaContext
    attr_reader :aws_request_id, :invoked_function_arn, :log_group_name, :log_stream_name, :function_name,
      :memory_limit_in_mb, :function_version, :identity, :client_context, :deadline_ms, :tenant_id

    def initialize(headers)
      @clock_diff = Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond) -
        Process.clock_gettime(Process::CLOCK_MONOTONIC, :millisecond)
      @deadline_ms = headers["lambda-runtime-deadline-ms"].to_i
      @aws_request_id = headers["lambda-runtime-aws-request-id"]
      @invoked_function_arn = headers["lambda-runtime-invoked-function-arn"]
      @tenant_id = headers["lambda-runtime-aws-tenant-id"]
      @log_group_name = ENV["AWS_LAMBDA_LOG_GROUP_NAME"]
      @log_stream_name = ENV["AWS_LAMBDA_LOG_STREAM_NAME"]
      @function_name = ENV["AWS_LAMBDA_FUNCTION_NAME"]
      @memory_limit_in_mb = ENV["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
      @function_version = ENV["AWS_LAMBDA_FUNCTION_VERSION"]
      @identity = parsed(headers["lambda-runtime-cognito-identity"])
      @client_context = parsed(headers["lambda-runtime-client-context"])
    end

    def get_remaining_time_in_millis
      now = Process.clock_gettime(Process::CLOCK_MONOTONIC, :millisecond) + @clock_diff
      remaining = @deadline_ms - now
      remaining.positive? ? remaining : 0
    end

    private

    def parsed(header)
      header && JSON.parse(header)
    rescue JSON::ParserError
      nil
    end
  end

  # Takes framed records where the platform gives a descriptor for them, else lines of standard output.
  class LogSink
    def initialize(descriptor)
      @io = descriptor && IO.new(Integer(descriptor), "wb")
      @io.sync = true if @io
    end

    # `text`: one record; `level`: an index of LEVELS, or nil.
    def write(text, level = nil, json: false)
      if @io
        text = text.b
        stamp = Process.clock_gettime(Process::CLOCK_REALTIME, :microsecond)
        kind = (json ? FRAME_JSON : FRAME_TEXT) + (level ? 8 + 4 * level : 0)
        @io.write([kind, text.bytesize, stamp].pack("NNQ>") + text)
      else
        $stdout.write(text.end_with?("\n") ? text : text + "\n")
      end
    end
  end

  # The wait of a stem cell: this interpreter was started before it was known whose it will be, and asks. It loads nothing
  # but what every start loads: a function can see what is loaded.
  module StemCell
    ARGUMENT = "--martlet-stem".freeze

    class << self
      # Becomes the function's; returns when directory and variables are its own, with the connection.
      def become_somebodys
        loaded = loaded_names
        JSON.generate(JSON.parse('{"a":[1,2.5,"\u00e9",null]}'))
        api = RuntimeAPI.new(ENV.fetch("AWS_LAMBDA_RUNTIME_API"))
        directory, *variables = api.order
        ENV.replace(variables.to_h { |variable| variable.split("=", 2) })
        Dir.chdir(directory)
        start_anew if own_version?(loaded)
        ARGV.pop
        Gem.clear_paths if defined?(Gem) # what they hold was not there before
        api
      end

      private

      # What has been loaded, as one would require it: the first part of each name.
      def loaded_names
        folders = $LOAD_PATH.sort_by { |folder| -folder.length }.map { |folder| "#{folder}/" }
        names = $LOADED_FEATURES.filter_map do |feature|
          folder = folders.find { |each| feature.start_with?(each) }
          feature.delete_prefix(folder.to_s)[/\A[^\/]+/]&.delete_suffix(".rb")&.delete_suffix(".so")
        end
        names += Gem.loaded_specs.keys if defined?(Gem)
        names.to_h { |name| [name, true] }
      end

      # Has the function its own version of what is loaded here: in the search path before the library's, or as a gem?
      def own_version?(loaded)
        ENV.fetch("RUBYLIB", "").split(":").any? do |folder|
          names(folder).any? { |name| loaded.key?(name.delete_suffix(".rb").delete_suffix(".so")) }
        end || ENV.fetch("GEM_PATH", "").split(":").grep(%r{\A/(var/task|opt)/}).any? do |home|
          names("#{home}/specifications").any? { |name| loaded.key?(name[/\A(.+?)-\d/, 1]) }
        end
      end

      def names(folder)
        Dir.children(folder)
      rescue SystemCallError
        []
      end

      def start_anew
        command = File.binread("/proc/self/cmdline").split("\0")
        exec([command[0], command[0]], *command[1...-1])
      end
    end
  end

  class << self
    # Of the invocation under way.
    attr_reader :request_id
    attr_reader :sink
    attr_reader :logs_json
  end

  # `Logger.new($stdout)` writes records to the function's log, with the request's id.
  module RecordLogger
    def initialize(device = nil, *more, **named)
      to_function = device.equal?($stdout) || device.equal?($stderr)
      super(to_function ? Device.new : device, *more, **named)
      return unless to_function
      @default_formatter = RecordFormatter.new
      name = ENV["AWS_LAMBDA_LOG_LEVEL"]
      self.level = LEVELS.index(name == "TRACE" ? "DEBUG" : name) if Martlet.logs_json && !named.key?(:level) && LEVELS.include?(name)
    end

    class Device
      def write(record)
        record = record.to_s
        name = record[Martlet.logs_json ? /"level":"([A-Z]+)"/ : /\A[A-Z], \[[^\]]*\] +([A-Z]+) /, 1]
        Martlet.sink.write(record, LEVELS.index(name), json: Martlet.logs_json)
      end

      def close; end
    end

    class RecordFormatter < ::Logger::Formatter
      LINE = "%s, [%s #%d] %5s %s -- %s: %s\n".freeze

      def call(severity, time, program, message)
        return json(severity, time, program, message) if Martlet.logs_json
        format(LINE, severity[0], time.strftime("%Y-%m-%dT%H:%M:%S.%6N"), Process.pid, severity, Martlet.request_id, program,
          msg2str(message))
      end

      def json(severity, time, program, message)
        line = {timestamp: time.getutc.iso8601(3), level: severity}
        if message.is_a?(Exception)
          line.merge!(errorType: message.class.name, errorMessage: message.message, stackTrace: message.backtrace || [])
        else
          line[:message] = message
        end
        line.merge!(logger: program, requestId: Martlet.request_id)
        JSON.generate(line.compact) + "\n"
      end
    end
  end

  class << self
    # Starts, and never returns: the platform ends this process.
    def run
      api = StemCell.become_somebodys if ARGV.last == StemCell::ARGUMENT
      @logs_json = ENV["AWS_LAMBDA_LOG_FORMAT"] == "JSON"
      descriptor = ENV.delete("_LAMBDA_TELEMETRY_LOG_FD")
      @sink = LogSink.new(descriptor)
      $stdout.sync = $stderr.sync = true
      ::Logger.prepend(RecordLogger)
      task = ENV.fetch("LAMBDA_TASK_ROOT", "/var/task")
      $LOAD_PATH.unshift(task) unless $LOAD_PATH.include?(task)
      api ||= RuntimeAPI.new(ENV.fetch("AWS_LAMBDA_RUNTIME_API"))
      serve(api, load_function(api))
    end

    private

    # The error as (document, header of its type, X-Ray cause).
    def describe(error, classification = "Function")
      type = "#{classification}<#{error.class}>"
      message = error.message.to_s.dup.force_encoding(Encoding::UTF_8).scrub
      document = {errorMessage: message, errorType: type, stackTrace: frames(error)}
      [document, "Lambda-Runtime-Function-Error-Type: #{type.gsub(/[^ -~]/, " ")}\r\n", xray_header(document)]
    end

    # Without those of this file: up to where it called the function, and what it does to log.
    def frames(error)
      all = (error.backtrace || []).map { |frame| frame.dup.force_encoding(Encoding::UTF_8).scrub }
      own = all.index { |frame| frame.start_with?("#{__FILE__}:") && !frame.include?("RecordLogger") }
      own ? all.first(own) : all
    end

    def xray_header(document)
      stack = document[:stackTrace].map do |frame|
        path, line, label = frame.split(":", 3)
        {path: path, line: line.to_i, label: label.to_s[/[`'](.*)'/, 1] || label}
      end
      exception = {type: document[:errorType], message: document[:errorMessage], stack: stack}
      cause = JSON.generate(
        {working_directory: Dir.pwd, paths: stack.map { |place| place[:path] }.uniq, exceptions: [exception]},
        ascii_only: true
      )
      cause.bytesize < XRAY_CAUSE_BYTES ? "Lambda-Runtime-Function-XRay-Error-Cause: #{cause}\r\n" : ""
    rescue SystemCallError
      "" # the function removed its working directory
    end

    def log_error(title, document)
      if logs_json
        line = {timestamp: Time.now.utc.iso8601(3), level: "ERROR", requestId: request_id}.compact.merge(document)
        sink.write(JSON.generate(line) + "\n", ERROR, json: true)
      else
        sink.write("#{title}\n#{JSON.generate(document)}\n", ERROR)
      end
    end

    # `file.method` of the top level, or `file.Module::Class.method`.
    def handler(name)
      file, first, second = name.split(".", 3)
      if file.to_s.empty? || first.to_s.empty?
        raise ArgumentError,
          "Invalid handler #{name}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where FILENAME corresponds " \
          "with an existing Ruby source file FILENAME.rb, CLASS is an optional module/class namespace and METHOD is a " \
          "callable method. If using CLASS, METHOD must be a class-level method."
      end
      require file
      return TOPLEVEL_BINDING.receiver.method(first) unless second
      Object.const_get(first).method(second)
    end

    def load_function(api)
      handler(ENV["_HANDLER"].to_s)
    rescue SystemExit
      raise
    rescue Exception => e # a function can raise anything
      document, type, = describe(e, "Init")
      log_error("Init error when loading handler #{ENV["_HANDLER"]}", document)
      flush
      api.post("init/error", JSON.generate(document), head: type)
      exit!(1)
    end

    def flush
      $stdout.flush
      $stderr.flush
    rescue IOError
      nil # the function closed it
    end

    def content(answer)
      return [answer.read, "application/unknown"] if answer.is_a?(IO) || defined?(StringIO) && answer.is_a?(StringIO)
      [answer.to_json, "application/json"]
    end

    def serve(api, handler)
      loop do
        answer = api.next
        raise IOError, "the Runtime API answered #{answer.status} to invocation/next" if answer.status != 200
        @request_id = answer.headers["lambda-runtime-aws-request-id"]
        ENV["_X_AMZN_TRACE_ID"] = answer.headers["lambda-runtime-trace-id"]
        invoke(api, handler, answer)
      end
    end

    def invoke(api, handler, answer)
      event = answer.body.empty? ? nil : JSON.parse(answer.body)
      body, type = content(handler.call(event: event, context: LambdaContext.new(answer.headers)))
    rescue SystemExit
      raise
    rescue Exception => e # a function can raise anything
      document, type, cause = describe(e)
      log_error("Error raised from handler method", document)
      flush
      api.post("invocation/#{request_id}/error", JSON.generate(document), head: type + cause)
      exit!(1) if e.is_a?(NoMemoryError) || e.is_a?(SignalException)
    else
      flush
      api.post("invocation/#{request_id}/response", body, content_type: type)
    end
  end
end

begin
  Martlet.run
rescue SystemCallError, IOError => e
  warn("martlet: #{e.message}")
  exit!(1)
end
