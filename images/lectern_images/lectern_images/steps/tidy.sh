# Sourced by every step at its end: removes what differs from build to build and nobody needs.
rm -rf /var/cache/apt/* /var/lib/apt/lists/* /var/log/* /tmp/* /root/.cache /root/.npm
rm -rf /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/cache/ldconfig/* /var/lib/systemd
rm -f /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /etc/.pwd.lock /etc/machine-id
rm -f /var/lib/dbus/machine-id /var/lib/dpkg/lock* /var/lib/dpkg/triggers/Lock
# The day of an account's last change of password is the day of the build.
sed -i 's/^\([^:]*:[^:]*\):[0-9]*:/\1:20000:/' /etc/shadow
# A program that changes who runs it has no place here; servers may not gain rights anyhow.
find / -xdev -perm /6000 -type f -exec chmod a-s {} +
