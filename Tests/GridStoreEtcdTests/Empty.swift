#if Etcd
#endif
