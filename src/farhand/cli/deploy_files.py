"""The files around a server: its systemd unit and the proxies before it.

`farhand init` writes them for one folder; those in ``deploy/`` are the same for a whole machine.
"""

from dataclasses import dataclass
from pathlib import Path

HOST_NAME = "robots.example"
"""Stands for the name that people reach the server by."""

_UNIT = """\
[Unit]
Description=farhand gateway server
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart={command} serve --config {config}
Restart=always
RestartSec=1
TimeoutStopSec=15
{owner}
UMask=0077
LimitNOFILE=65536

# Nothing of the machine but the network and the folder of its state.
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
CapabilityBoundingSet=
# To listen on port 443 itself (tls_cert, tls_key), instead of the line above:
# CapabilityBoundingSet=CAP_NET_BIND_SERVICE
# AmbientCapabilities=CAP_NET_BIND_SERVICE

[Install]
WantedBy=multi-user.target
"""

_CADDY = """\
# Caddy gets and renews the certificate by itself, and passes WebSockets on.
{host} {{
	encode zstd gzip
	reverse_proxy 127.0.0.1:{port} {{
		# Video and control go past the server: what is long-lived here is signaling.
		stream_close_delay 60s
	}}
}}
"""

_NGINX = """\
# farhand below https://{host}/robots/: in farhand.toml
#   [server]
#   root_path = "/robots"
#   trusted_proxies = ["127.0.0.1", "::1"]
#   public_url = "https://{host}/robots"
map $http_upgrade $farhand_connection {{
    default upgrade;
    ''      '';
}}

server {{
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name {host};
    ssl_certificate     /etc/ssl/{host}/fullchain.pem;
    ssl_certificate_key /etc/ssl/{host}/privkey.pem;

    location = /robots {{
        return 308 /robots/;
    }}
    location /robots/ {{
        # No slash at the end: the prefix is passed on, the server takes it off.
        proxy_pass http://127.0.0.1:{port};
        proxy_http_version 1.1;
        proxy_set_header Host              $http_host;
        proxy_set_header X-Forwarded-For   $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Upgrade           $http_upgrade;
        proxy_set_header Connection        $farhand_connection;
        # Sockets are quiet for up to 20 s between their pings.
        proxy_read_timeout 75s;
        proxy_send_timeout 75s;
        proxy_buffering    off;
        # The secret of a link stands in its fragment; ids of robots need not be logged either.
        access_log         off;
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Unit:
    """Where a unit finds its server."""

    command: str = "/usr/local/bin/farhand"
    config: str = "/etc/farhand/config.toml"
    state: Path | None = None
    """Folder of the state; ``None``: systemd makes /var/lib/farhand."""
    user: str = "farhand"

    def text(self) -> str:
        """Return the unit."""
        owner = [f"User={self.user}"]
        if self.state is None:
            owner += ["StateDirectory=farhand", "StateDirectoryMode=0700"]
            owner += ["WorkingDirectory=/var/lib/farhand"]
        else:
            owner += [f"WorkingDirectory={_escaped(self.state)}"]
            owner += [f"ReadWritePaths={_quoted(self.state)}"]
        places = (self.command, self.config, str(self.state or ""))
        is_at_home = any(p.startswith(("/home/", "/root/", "/run/user/")) for p in places)
        return _UNIT.format(
            command=_quoted(self.command),
            config=_quoted(self.config),
            owner="\n".join(owner),
            home="read-only" if is_at_home else "yes",
        )


def caddyfile(host: str = HOST_NAME, port: int = 8080) -> str:
    """Return a Caddyfile for a server at the root of ``host``."""
    return _CADDY.format(host=host, port=port)


def nginx(host: str = HOST_NAME, port: int = 8080) -> str:
    """Return nginx's configuration for a server below the prefix /robots."""
    return _NGINX.format(host=host, port=port)


def _escaped(word: object) -> str:
    return str(word).replace("%", "%%")


def _quoted(word: object) -> str:
    """Return a word as systemd reads it again: systemd.syntax(7)."""
    text = _escaped(word)
    if not any(c in text for c in " \t\"'\\$;"):
        return text
    inner = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{inner}"'
