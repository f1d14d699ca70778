package agent

// Space is what statfs says about the file system under a path.
type Space struct {
	FSType      string `json:"fs_type"` // "ext4", "xfs", ... or the magic number in hexadecimal
	Device      uint64 `json:"device"`  // st_dev: pieces with the same number share their space
	FreeBytes   int64  `json:"free_bytes"`
	TotalBytes  int64  `json:"total_bytes"`
	FreeInodes  int64  `json:"free_inodes"`
	TotalInodes int64  `json:"total_inodes"` // 0: the file system makes inodes as needed
	ReadOnly    bool   `json:"read_only"`
}
