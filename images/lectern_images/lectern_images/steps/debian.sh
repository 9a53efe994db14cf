# Sourced by steps that install Debian packages: `install_packages NAME...`
install_packages() {
    set -- --quiet --quiet --yes --no-install-recommends "$@"
    # An image that starts from nothing trusts nobody yet.
    if [ -f /run/lectern/authorities.crt ]; then
        set -- --option Acquire::https::CAInfo=/run/lectern/authorities.crt "$@"
        apt-get --option Acquire::https::CAInfo=/run/lectern/authorities.crt --quiet --quiet update
    else
        apt-get --quiet --quiet update
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install "$@"
}
