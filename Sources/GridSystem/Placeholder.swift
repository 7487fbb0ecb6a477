internal import GridCore
