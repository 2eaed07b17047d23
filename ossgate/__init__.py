"""ossgate: direct uploads to Alibaba Cloud OSS that the application behind them can believe."""

__version__ = "0.1.0"
