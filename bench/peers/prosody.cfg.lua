-- Prosody 0.12 for the benchmark: lean, loopback only, no limits. PEER_DIR and PORT_* are replaced by the runner.
-- P_GC=t400 in the environment is Prosody at its best CPU; without it the collector is as shipped.
pidfile = "PEER_DIR/prosody.pid"
data_path = "PEER_DIR/data"
run_as_root = true
network_backend = "epoll"
network_settings = { tcp_backlog = 2048 }
if os.getenv("P_GC") == "t400" then gc = { mode = "incremental", threshold = 400 } end
log = { error = "PEER_DIR/error.log" }
interfaces = { "127.0.0.1" }
modules_enabled = { "roster", "saslauth", "disco", "ping", "bosh", "websocket" }
modules_disabled = { "s2s", "offline", "tls" }
admins = { "admin@localhost" }
authentication = "internal_plain"
storage = "internal"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
consider_bosh_secure = true
consider_websocket_secure = true
c2s_ports = { PORT_XMPP }
legacy_ssl_ports = {}
c2s_direct_tls_ports = {}
http_ports = { PORT_HTTP }
http_interfaces = { "127.0.0.1" }
https_ports = { PORT_TLS }
https_interfaces = { "127.0.0.1" }
https_ssl = { key = "PEER_DIR/tls/server.key", certificate = "PEER_DIR/tls/server.pem" }
http_default_host = "localhost"
bosh_max_wait = 120
bosh_max_inactivity = 60
cross_domain_websocket = true
VirtualHost "localhost"
Component "pubsub.localhost" "pubsub"
  admins = { "admin@localhost" }
  name = "pubsub"
  autocreate_on_publish = true
  autocreate_on_subscribe = true
  expose_publisher = false
