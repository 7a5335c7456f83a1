// Widths of codes as types: a kernel's instance knows its own, and what is left of Codes.quad is the shifts and masks
// it takes. (Passed as numbers, the optimizer folds the instances into one that asks at every step.)

export class Bits1 {
  value(): u32 {
    return 1;
  }
}

export class Bits2 {
  value(): u32 {
    return 2;
  }
}

export class Bits3 {
  value(): u32 {
    return 3;
  }
}

export class Bits4 {
  value(): u32 {
    return 4;
  }
}

export class Bits5 {
  value(): u32 {
    return 5;
  }
}

export class Bits6 {
  value(): u32 {
    return 6;
  }
}

export class Bits8 {
  value(): u32 {
    return 8;
  }
}
