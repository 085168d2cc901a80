# Changes of mode and privilege, as a Multiboot kernel that prints what it meets. Each case prints its name and
# either what it left in registers or the exception that ended it: vector, error code, offset in the case, CS and
# the flags image without RF. A case ends with a jump to done; an exception ends it too. The handler puts back the
# flat segments and the stack, so the cases are independent of each other.
        .set KCODE, 0x08
        .set KDATA, 0x10
        .set UCODE, 0x1b
        .set UDATA, 0x23
        .set TSSMAIN, 0x28
        .set TSSOTHER, 0x30
        .set TSS16A, 0x38
        .set LDTSEL, 0x40
        .set CODE16, 0x48
        .set DATA16, 0x50
        .set GATE32, 0x5b
        .set GATE16, 0x63
        .set TASKGATE, 0x6b
        .set ABSENT, 0x70
        .set CONFORM, 0x78
        .set EXECONLY, 0x80
        .set READONLY, 0x88
        .set SMALL, 0x90
        .set DOWN, 0x98
        .set GATE0, 0xa0
        .set GATEGONE, 0xa8
        .set SMALLCODE, 0xb0
        .set CODE16R0, 0xb8
        .set ABSENTSS, 0xc0
        .set PROGRESS, -2
        .set STACKTOP, 0x180000
        .set USERTOP, 0x190000

        .macro case name
        jmp     2f
1:      .asciz  "\name"
2:      mov     $1b, %esi
        call    begin
        movl    $9f, next
        movl    $3f, start
3:
        .endm
        .macro done
        jmp     finish
9:
        .endm

        .section .text
        .globl _start
        .align 4
        .long   0x1badb002, 3, -(0x1badb002 + 3)
_start: cli
        mov     $STACKTOP, %esp
# Eight bits, which firmware would have set.
        mov     $0x3fb, %edx
        mov     $3, %al
        out     %al, %dx
        lgdt    gdtr
        ljmp    $KCODE, $1f
1:      mov     $KDATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %fs
        mov     %eax, %gs
        mov     %eax, %ss
# The IDT: 48 stubs of 16 bytes; 48 and 49 are gates of ring 3, 50 a task gate, 51 a 16-bit gate, 52 a trap gate.
        mov     $idt, %edi
        mov     $stubs, %eax
        mov     $48, %ecx
1:      mov     %ax, (%edi)
        movw    $KCODE, 2(%edi)
        movw    $0x8e00, 4(%edi)
        mov     %eax, %edx
        shr     $16, %edx
        mov     %dx, 6(%edi)
        add     $16, %eax
        add     $8, %edi
        loop    1b
        mov     $usercall, %eax
        mov     %ax, idt + 48 * 8
        movl    $KCODE, idt + 48 * 8 + 2
        movw    $0xee00, idt + 48 * 8 + 4
        shr     $16, %eax
        mov     %ax, idt + 48 * 8 + 6
        movl    $TSSOTHER << 16, idt + 50 * 8
        movl    $0xe500, idt + 50 * 8 + 4
        lidt    idtr
# Base addresses that the assembler cannot put into descriptors.
        mov     $tssmain, %eax
        mov     $gdt + TSSMAIN, %edi
        call    setbase
        mov     $tssother, %eax
        mov     $gdt + TSSOTHER, %edi
        call    setbase
        mov     $tss16a, %eax
        mov     $gdt + TSS16A, %edi
        call    setbase
        mov     $ldt, %eax
        mov     $gdt + LDTSEL, %edi
        call    setbase
        mov     $gatetarget, %eax
        mov     $gdt + (GATE32 & ~7), %edi
        call    setgate
        mov     $gatetarget0, %eax
        mov     $gdt + GATE0, %edi
        call    setgate
        mov     $low, %esi
        mov     $0x8000, %edi
        mov     $lowend - low, %ecx
        rep movsb
        mov     $TSSMAIN, %eax
        ltr     %ax

# Selector queries over every descriptor.
        mov     $0, %ebx
queries:
        mov     $qname, %esi
        call    begin
        mov     %ebx, %eax
        call    hex
        xor     %ecx, %ecx
        lar     %ebx, %ecx
        call    flagz
        mov     %ecx, %eax
        call    hex
        xor     %ecx, %ecx
        lsl     %ebx, %ecx
        call    flagz
        mov     %ecx, %eax
        call    hex
        verr    %bx
        call    flagz
        verw    %bx
        call    flagz
        call    newline
        add     $8, %ebx
        cmp     $0xd0, %ebx
        jb      queries

        case    "load null SS"
        xor     %eax, %eax
        mov     %eax, %ss
        done
        case    "load SS with RPL 3"
        mov     $KDATA + 3, %eax
        mov     %eax, %ss
        done
        case    "load absent SS"
        mov     $ABSENTSS, %eax
        mov     %eax, %ss
        done
        case    "load read-only SS"
        mov     $READONLY, %eax
        mov     %eax, %ss
        done
        case    "load absent DS"
        mov     $ABSENT, %eax
        mov     %eax, %ds
        done
        case    "load execute-only DS"
        mov     $EXECONLY, %eax
        mov     %eax, %ds
        done
        case    "load TSS into DS"
        mov     $TSSMAIN, %eax
        mov     %eax, %ds
        done
        case    "load DS beyond the table"
        mov     $0x7f8, %eax
        mov     %eax, %ds
        done
        case    "LDT absent"
        xor     %eax, %eax
        lldt    %ax
        mov     $4, %eax
        mov     %eax, %ds
        done
        case    "LDT present"
        mov     $LDTSEL, %eax
        lldt    %ax
        mov     $4, %eax
        mov     %eax, %fs
        mov     %fs, %ebx
        sldt    %ecx
        done
        case    "LLDT of a code segment"
        mov     $KCODE, %eax
        lldt    %ax
        done
        case    "LTR of a busy TSS"
        mov     $TSSMAIN, %eax
        ltr     %ax
        done
        case    "far jump to data"
        ljmp    $KDATA, $0
        done
        case    "far jump to null"
        ljmp    $0, $0
        done
        case    "far jump to ring 3 code"
        ljmp    $UCODE, $0
        done
        case    "far jump to an absent gate"
        ljmp    $GATEGONE, $0
        done
        case    "far jump to conforming code"
        ljmp    $CONFORM, $1f
1:      mov     %cs, %eax
        ljmp    $KCODE, $1f
1:      done
        case    "call gate, same privilege"
        lcall   $GATE0, $0
        mov     %ecx, %eax
        done
        case    "call gate of ring 0 from ring 3"
        mov     $1f, %ebx
        jmp     toring3
1:      lcall   $GATE0 + 3, $0
        done
        case    "call gate with parameters from ring 3"
        mov     $1f, %ebx
        jmp     toring3
1:      push    $0x11111111
        push    $0x22222222
        lcall   $GATE32, $0
        int     $48
9:
        case    "interrupt from ring 3"
        mov     $1f, %ebx
        jmp     toring3
1:      mov     $0x1234, %eax
        int     $48
9:
        case    "INT to a gate of ring 0 from ring 3"
        mov     $1f, %ebx
        jmp     toring3
1:      int     $33
9:
        case    "INT beyond the IDT"
        int     $200
        done
        case    "HLT in ring 3"
        mov     $1f, %ebx
        jmp     toring3
1:      hlt
9:
        case    "CLI in ring 3"
        mov     $1f, %ebx
        jmp     toring3
1:      cli
9:
        case    "port in ring 3, refused by the bitmap"
        mov     $1f, %ebx
        jmp     toring3
1:      in      $0x21, %al
9:
        case    "port in ring 3, admitted by the bitmap"
        movb    $0xfd, tssmain + 104 + (0x60 >> 3)
        mov     $1f, %ebx
        jmp     toring3
1:      in      $0x61, %al
        mov     $0x55, %eax
        int     $48
9:
        case    "MOV to CR0 in ring 3"
        mov     $1f, %ebx
        jmp     toring3
1:      mov     %eax, %cr0
9:
        case    "POPF in ring 3 keeps IF and IOPL"
        mov     $1f, %ebx
        jmp     toring3
1:      push    $0x7ed5
        popf
        pushf
        pop     %eax
        int     $48
9:
        case    "data segments of ring 0 are dropped by IRET"
        mov     $KDATA, %eax
        mov     %eax, %fs
        mov     $UDATA, %eax
        mov     %eax, %gs
        mov     $1f, %ebx
        jmp     toring3
1:      xor     %eax, %eax
        mov     %fs, %eax
        mov     %gs, %ecx
        int     $48
9:
        case    "ARPL"
        mov     $0x40, %eax
        mov     $3, %ecx
        arpl    %cx, %ax
        call    flagz
        arpl    %cx, %ax
        call    flagz
        done
        case    "far return to ring 3"
        push    $UDATA
        push    $USERTOP
        push    $UCODE
        push    $1f
        lret
1:      mov     %cs, %eax
        mov     %esp, %ecx
        int     $48
9:
        case    "far return to an inner ring"
        mov     $1f, %ebx
        jmp     toring3
1:      push    $KCODE
        push    $0
        lret
9:
        case    "single step over plain instructions and a repeated one"
        movl    $0, steps
        pushf
        orl     $0x100, (%esp)
        popf
        mov     $3, %ecx
        mov     $buffer, %edi
        rep stosb
        nop
        pushf
        andl    $~0x100, (%esp)
        popf
        mov     steps, %eax
        done
        case    "single step and MOV SS"
        movl    $0, steps
        pushf
        orl     $0x100, (%esp)
        mov     $KDATA, %eax
        popf
        mov     %eax, %ss
        nop
        pushf
        andl    $~0x100, (%esp)
        popf
        mov     steps, %eax
        done
        case    "instruction breakpoint"
        movl    $0, steps
        mov     $1f, %eax
        mov     %eax, %dr0
        mov     $0x401, %eax
        mov     %eax, %dr7
        nop
1:      inc     %ecx
        xor     %eax, %eax
        mov     %eax, %dr7
        mov     steps, %eax
        mov     %dr6, %ecx
        and     $0xf, %ecx
        done
        case    "data breakpoint, write"
        movl    $0, steps
        mov     $buffer, %eax
        mov     %eax, %dr1
        mov     $0x00d00404, %eax
        mov     %eax, %dr7
        mov     buffer, %ecx
        incl    buffer + 4
        movb    $1, buffer + 2
        xor     %eax, %eax
        mov     %eax, %dr7
        mov     steps, %eax
        mov     %dr6, %ecx
        and     $0xf, %ecx
        done
        case    "data breakpoint, read or write"
        movl    $0, steps
        mov     $buffer, %eax
        mov     %eax, %dr2
        mov     $0x0f000420, %eax
        mov     %eax, %dr7
        mov     buffer, %ecx
        movw    $1, buffer + 3
        movl    $1, buffer + 4
        xor     %eax, %eax
        mov     %eax, %dr7
        mov     steps, %eax
        mov     %dr6, %ecx
        and     $0xf, %ecx
        done
        case    "INT1 is a trap"
        movl    $0, steps
        .byte   0xf1
        mov     steps, %eax
        done
        case    "UD2"
        ud2
        done
        case    "a lock prefix where none may be"
        .byte   0xf0
        mov     %eax, %ebx
        done
        case    "an instruction of 16 bytes"
        .byte   0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90
        done
        case    "task switch by JMP and back"
        movl    $taska, tssother + 32
        movl    $0x1002, tssother + 36
        ljmp    $TSSOTHER, $0
        mov     %eax, %ecx
        str     %eax
        call    tss
        done
        case    "task switch by CALL and IRET"
        movl    $taskb, tssother + 32
        movl    $2, tssother + 36
        lcall   $TSSOTHER, $0
        pushf
        pop     %eax
        and     $0x4000, %eax
        mov     tssother, %ecx
        call    tss
        done
        case    "task gate of the IDT"
        movl    $taskb, tssother + 32
        movl    $2, tssother + 36
        int     $50
        str     %eax
        mov     tssother, %ecx
        call    tss
        done
        case    "task gate by far call"
        movl    $taskb, tssother + 32
        lcall   $TASKGATE, $0
        str     %eax
        mov     tssother, %ecx
        call    tss
        done
        case    "16-bit task"
        lcall   $TSS16A, $0
        str     %eax
        movzwl  tss16a, %ecx
        call    tss
        done
        case    "IRET with NT and a bad link"
        movl    $KDATA, tssmain
        pushf
        orl     $0x4000, (%esp)
        popf
        iret
        done
        case    "16-bit code and stack"
        mov     $0xabcd1000, %eax
        mov     %esp, saved
        mov     $DATA16, %ecx
        mov     %ecx, %ss
        mov     %eax, %esp
        ljmp    $CODE16R0, $code16 - low
        .globl  back16
back16: mov     $KDATA, %ecx
        mov     %ecx, %ss
        mov     %esp, %ecx
        mov     saved, %esp
        done
        case    "virtual-8086 mode with IOPL 3"
        mov     $0x3000, %edx
        mov     $v86a - low, %ebx
        jmp     tov86
9:
        case    "CLI in virtual-8086 mode with IOPL 0"
        mov     $0, %edx
        mov     $v86b - low, %ebx
        jmp     tov86
9:
        case    "INT in virtual-8086 mode with IOPL 0"
        mov     $0, %edx
        mov     $v86c - low, %ebx
        jmp     tov86
9:
        case    "LAR in virtual-8086 mode"
        mov     $0x3000, %edx
        mov     $v86d - low, %ebx
        jmp     tov86
9:
        case    "real mode and back"
        mov     %esp, saved
        sidt    idtsave
        ljmp    $CODE16R0, $toreal - low
        .globl  backreal
backreal:
        mov     $KDATA, %ecx
        mov     %ecx, %ds
        mov     %ecx, %es
        mov     %ecx, %ss
        mov     %ecx, %fs
        mov     %ecx, %gs
        mov     saved, %esp
        lidt    idtr
        done

# Paging: present, writable, user of the table entry by write, ring and CR0.WP.
        mov     $0x200000, %edi
        mov     $0x201007, %eax
        mov     %eax, (%edi)
        mov     $0x201000, %edi
        mov     $7, %eax
        mov     $1024, %ecx
1:      mov     %eax, (%edi)
        add     $4096, %edi
        sub     $4092, %edi
        add     $4096, %eax
        loop    1b
        mov     $0x200000, %eax
        mov     %eax, %cr3
        mov     %cr0, %eax
        or      $0x80000000, %eax
        mov     %eax, %cr0
        movl    $0, pattern
matrix: movl    $0, %ebx
        mov     $mname, %esi
        call    begin
        mov     pattern, %eax
        call    hex
        movl    $9f, next
        movl    $3f, start
3:      mov     %cr0, %eax
        and     $~0x10000, %eax
        testl   $0x20, pattern
        jz      1f
        or      $0x10000, %eax
1:      mov     %eax, %cr0
        mov     pattern, %eax
        and     $7, %eax
        or      $0x300000, %eax
        mov     %eax, 0x201000 + 0x300 * 4
        mov     %cr3, %eax
        mov     %eax, %cr3
        testl   $0x10, pattern
        jz      access
        mov     $access, %ebx
        jmp     toring3
access: testl   $0x8, pattern
        jz      1f
        movl    $5, 0x300000
        jmp     2f
1:      mov     0x300000, %ecx
2:      testl   $0x10, pattern
        jz      1f
        int     $48
1:      jmp     finish
9:      mov     0x201000 + 0x300 * 4, %eax
        call    hex
        call    newline
        incl    pattern
        cmpl    $0x40, pattern
        jb      matrix

# Faults in the middle of things. The page at 300000 is absent, the one at 301000 read-only.
        movl    $0, 0x201000 + 0x300 * 4
        movl    $0x301005, 0x201000 + 0x301 * 4
        mov     %cr0, %eax
        or      $0x10000, %eax
        mov     %eax, %cr0
        mov     %cr3, %eax
        mov     %eax, %cr3
        clts
        movl    $PROGRESS, pattern
        .macro  user name
        case    "\name"
        mov     $1f, %ebx
        movl    $1f, start
        jmp     toring3
1:      mov     $3, %ecx
        mov     $0x11, %edi
        .endm
        user    "push to an absent page"
        mov     $0x301000, %esp
        push    %eax
9:
        user    "push of what is absent"
        push    0x300010
9:
        user    "pusha across into an absent page"
        mov     $0x302010, %esp
        pusha
9:
        user    "popa across into an absent page"
        mov     $0x2ffff8, %esp
        popa
9:
        user    "pop to an absent page"
        pop     0x300010
9:
        user    "pop to an absent page by its own stack pointer"
        mov     $0x2ffff0, %esp
        pop     0xc(%esp)
        pop     0xc(%esp)
9:
        user    "call with an absent stack"
        mov     $0x301000, %esp
        call    begin
9:
        user    "call through a word with an absent stack"
        mov     $0x301000, %esp
        call    *next
9:
        user    "return from an absent stack"
        mov     $0x300000, %esp
        ret     $8
9:
        user    "return across into an absent page"
        mov     $0x2ffffe, %esp
        ret
9:
        user    "far return half absent"
        mov     $0x2ffffc, %esp
        lret
9:
        user    "enter into an absent page"
        mov     $0x2ffffc, %ebp
        mov     $0x301000, %esp
        enter   $16, $0
9:
        user    "leave from an absent frame"
        mov     $0x300000, %ebp
        leave
9:
        user    "interrupt return half absent"
        mov     $0x2ffff8, %esp
        iret
9:
        user    "a word across into an absent page"
        mov     0x2fffff, %ax
9:
        user    "a word written across into an absent page"
        mov     %eax, 0x2ffffd
9:
        user    "a read-modify-write of a read-only page"
        addl    $0, 0x301000
9:
        user    "a compare-exchange that does not exchange, of a read-only page"
        xor     %eax, %eax
        movl    $0x301000, %edi
        cmpxchg %ecx, (%edi)
9:
        user    "a test of bits beyond the word"
        mov     $0x100000 * 8 + 5, %edi
        bts     %edi, 0x200000
9:
        user    "a repeated store into an absent page"
        mov     $0x2ffffa, %edi
        mov     $16, %ecx
        cld
        rep stosb
9:
        user    "a repeated store of doublewords that straddles"
        mov     $0x2ffffa, %edi
        mov     $16, %ecx
        rep stosl
9:
        user    "a repeated store downwards into an absent page"
        mov     $0x302001, %edi
        movl    $64, %ecx
        std
        rep stosb
9:
        user    "a repeated move from an absent page"
        cld
        mov     $0x2ffff8, %esi
        mov     $0x2f0000, %edi
        mov     $16, %ecx
        rep movsw
9:
        user    "a repeated compare with an absent page"
        mov     $0x2ffff8, %edi
        mov     $0x2ffff8, %esi
        mov     $64, %ecx
        repe cmpsb
9:
        user    "a repeated scan that finds nothing"
        mov     $0x2ffff8, %edi
        mov     $64, %ecx
        mov     $0x7b, %al
        repne scasb
9:
        user    "bounds in an absent page"
        bound   %eax, 0x300000
9:
        user    "a far pointer across into an absent page"
        les     0x2ffffc, %eax
9:
        user    "a table register stored across into an absent page"
        sgdt    0x2ffffc
9:
        user    "the coprocessor's state stored across into an absent page"
        fnstenv 0x2ffff8
9:
        user    "a jump to an absent page"
        mov     $0x300004, %eax
        jmp     *%eax
9:
        user    "an instruction across into an absent page"
        movw    $0xb890, 0x2ffffe
        mov     $0x2ffffe, %eax
        jmp     *%eax
9:
        case    "a task state segment in an absent page"
        mov     $0x300000, %eax
        mov     $gdt + TSSOTHER, %edi
        call    setbase
        ljmp    $TSSOTHER, $0
9:
        case    "a descriptor in an absent page"
        mov     $0x300000, %eax
        mov     $gdt + LDTSEL, %edi
        call    setbase
        mov     $LDTSEL, %eax
        lldt    %ax
        mov     $4, %eax
        mov     %eax, %gs
9:
        xor     %eax, %eax
        out     %al, $0xf4
# Bochs ends by a word at its own port, when all is sent.
        mov     $0x3fd, %edx
1:      in      %dx, %al
        test    $0x40, %al
        jz      1b
        mov     $0x8900, %edx
        mov     $shutdown, %esi
        mov     $8, %ecx
        cld
        rep outsb
        hlt
shutdown: .ascii "Shutdown"

# To ring 3 at EBX, to virtual-8086 mode at 0800:EBX with the flags EDX.
toring3:
        push    $UDATA
        push    $USERTOP
        push    $2
        push    $UCODE
        push    %ebx
        mov     $UDATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        iret
tov86:  push    $0x1111
        push    $0x2222
        push    $0x800
        push    $0x900
        push    $0x800
        push    $0xffe
        or      $0x20002, %edx
        push    %edx
        push    $0x800
        push    %ebx
        iret

# Tasks.
taska:  mov     $0x77, %eax
        ljmp    $TSSMAIN, $0
        jmp     taska
taskb:  mov     tssother, %ecx
        iret
        jmp     taskb
tss:    ret

# Targets of gates and interrupts.
gatetarget:
        mov     (%esp), %eax
        mov     8(%esp), %ecx
        mov     12(%esp), %edx
        lret    $8
gatetarget0:
        mov     %cs, %ecx
        lret
usercall:
        push    %eax
        mov     $KDATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        pop     %eax
        jmp     finish

        .macro  stub vector, error
        .align  16
        .if     \error == 0
        push    $0
        .endif
        push    $\vector
        jmp     exception
        .endm
        .align  16
stubs:
        .irp    v, 0,1,2,3,4,5,6,7
        stub    \v, 0
        .endr
        stub    8, 1
        stub    9, 0
        .irp    v, 10,11,12,13,14
        stub    \v, 1
        .endr
        .irp    v, 15,16
        stub    \v, 0
        .endr
        stub    17, 1
        .irp    v, 18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47
        stub    \v, 0
        .endr
        .align  16
exception:
        push    %eax
        mov     $KDATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        cmpl    $1, 4(%esp)
        jne     1f
# Debug exceptions are counted and told: offset in the case and DR6. A fault goes on with RF.
        push    %ecx
        incl    steps
        mov     %dr6, %eax
        and     $0xe00f, %eax
        mov     16(%esp), %ecx
        sub     start, %ecx
        shl     $16, %ecx
        or      %ecx, %eax
        call    hex
        xor     %eax, %eax
        mov     %eax, %dr6
        pop     %ecx
        orl     $0x10000, 20(%esp)
        pop     %eax
        add     $8, %esp
        iret
1:      pop     %eax
        mov     $xname, %esi
        call    print
        pop     %eax
        call    hex
        pop     %eax
        call    hex
        pop     %eax
        sub     start, %eax
        call    hex
        pop     %eax
        call    hex
        mov     %eax, %edx
        pop     %eax
        and     $~0x10000, %eax
        call    hex
        mov     %cr2, %eax
        call    hex
        cmpl    $PROGRESS, pattern
        jne     cleanup
# How far the instruction had come: ECX, EDI, and the stack pointer of ring 3.
        mov     %ecx, %eax
        call    hex
        mov     %edi, %eax
        call    hex
        test    $3, %dl
        jz      cleanup
        pop     %eax
        call    hex
        jmp     cleanup
finish: call    hex
        mov     %ecx, %eax
        call    hex
        mov     %edx, %eax
        call    hex
        pushf
        pop     %eax
        and     $0x7700, %eax
        call    hex
cleanup:
        mov     $KDATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %fs
        mov     %eax, %gs
        mov     %eax, %ss
        mov     $STACKTOP, %esp
        push    $2
        popf
        cmpl    $0, pattern
        jge     1f
        call    newline
1:      jmp     *next

# Printing.
begin:  call    print
        xor     %ecx, %ecx
        xor     %edx, %edx
        ret
print:  cld
        push    %eax
1:      lodsb
        test    %al, %al
        jz      2f
        call    send
        jmp     1b
2:      mov     $' ', %al
        call    send
        pop     %eax
        ret
hex:    pusha
        mov     %eax, %ebx
        mov     $8, %ecx
1:      rol     $4, %ebx
        mov     %bl, %al
        and     $15, %al
        cmp     $10, %al
        sbb     $0x69, %al
        das
        call    send
        loop    1b
        mov     $' ', %al
        call    send
        popa
        ret
flagz:  pushf
        pusha
        mov     32(%esp), %eax
        shr     $6, %eax
        and     $1, %eax
        add     $'0', %al
        call    send
        mov     $' ', %al
        call    send
        popa
        popf
        ret
newline:
        push    %eax
        mov     $10, %al
        call    send
        pop     %eax
        ret
# AL to COM1, when it has room.
send:   push    %edx
        push    %eax
        mov     $0x3fd, %edx
1:      in      %dx, %al
        test    $0x20, %al
        jz      1b
        pop     %eax
        mov     $0x3f8, %edx
        out     %al, %dx
        pop     %edx
        ret
setbase:
        mov     %ax, 2(%edi)
        shr     $16, %eax
        mov     %al, 4(%edi)
        mov     %ah, 7(%edi)
        ret
setgate:
        mov     %ax, (%edi)
        shr     $16, %eax
        mov     %ax, 6(%edi)
        ret

# Copied to 0x8000: what runs with segment bases below 1 MB.
low:    .code16
code16: push    %ax
        mov     $0x1234, %ax
        push    %ax
        call    1f
1:      pop     %dx
        pop     %ax
        pushl   $0x55667788
        popl    %eax
        enter   $8, $2
        leave
        ljmpl   $KCODE, $back16
v86a:   mov     %ss, %ax
        mov     %ds, %cx
        pushf
        pop     %dx
        cli
        sti
        cli
        push    %ax
        mov     $0x1234, %ax
        pop     %bx
        hlt
v86b:   cli
        hlt
v86c:   int     $48
        hlt
v86d:   lar     %ax, %ax
        hlt
toreal: mov     $DATA16, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     %ax, %fs
        mov     %ax, %gs
        mov     %cr0, %eax
        and     $~1, %al
        mov     %eax, %cr0
        ljmp    $0x800, $1f - low
1:      mov     $0x800, %ax
        mov     %ax, %ss
        mov     $0xf00, %sp
        mov     %ax, %es
        xor     %ax, %ax
        mov     %ax, %ds
        lidtl   %cs:realidt - low
        movw    $handler - low, 0x80 * 4
        movw    $0x800, 0x80 * 4 + 2
        movw    $handler - low, 6 * 4
        movw    $0x800, 6 * 4 + 2
        xor     %ecx, %ecx
        xor     %edx, %edx
        int     $0x80
        mov     %cs, %ax
        shl     $16, %eax
        mov     %sp, %ax
        lgdtl   %cs:gdtcopy - low
        mov     %cr0, %ebx
        or      $1, %bl
        mov     %ebx, %cr0
        ljmpl   $KCODE, $backreal
handler:
        inc     %cx
        mov     %sp, %bp
        mov     (%bp), %dx
        iret
task16: mov     %ax, %cx
        iret
        jmp     task16
realidt:
        .word   0x3ff
        .long   0
gdtcopy:
        .word   gdtend - gdt - 1
        .long   gdt
        .code32
lowend:

        .data
qname:  .asciz  "query"
mname:  .asciz  "page"
xname:  .asciz  "exception"
next:   .long   0
start:  .long   0
steps:  .long   0
saved:  .long   0
pattern: .long  -1
        .align  16
buffer: .long   0, 0, 0, 0
idtsave: .word  0
        .long   0
        .align  8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
        .quad   0x000089000000007f + 0x2000, 0x0000890000000067, 0x000081000000002b, 0x000082000000000f
        .quad   0x00008b000000ffff | (0x8000 << 16) | 0x0000600000000000 | 0x100000000000, 0x000093008000ffff
        .quad   0x0000ec0200080000, 0x0000e40000080000, 0x0000e50000300000, 0x00cf13000000ffff
        .quad   0x00cf9f000000ffff, 0x00cf99000000ffff, 0x00cf91000000ffff, 0x00409300000000ff
        .quad   0x004097000000ffff, 0x00008c0000080000, 0x00000c0000080000, 0x00409b00000000ff
        .quad   0x00009b008000ffff, 0x00cf13000000ffff
gdtend:
gdtr:   .word   gdtend - gdt - 1
        .long   gdt
idtr:   .word   53 * 8 - 1
        .long   idt
ldt:    .quad   0x00cf93000000ffff, 0x00cf9b000000ffff
        .align  16
tssmain: .long  0, STACKTOP, KDATA
        .fill   22, 4, 0
        .long   0x00680000
        .fill   32, 1, 0xff
        .fill   8192, 1, 0xff
        .align  16
tssother: .long 0, 0x170000, KDATA, 0, 0, 0, 0, 0x200000, 0, 2
        .long   0, 0, 0, 0, 0x170000, 0, 0, 0
        .long   KDATA, KCODE, KDATA, KDATA, KDATA, KDATA, 0, 0x00680000
        .align  16
# The 16-bit task runs at 0x8000, in the code of 16 bits, and goes back by IRET.
tss16a: .word   0, 0, 0, 0, 0, 0, 0, task16 - low, 2, 1, 2, 3, 4, 0x800, 6, 7, 8
        .word   DATA16, CODE16R0, DATA16, DATA16, 0
        .bss
        .align  8
idt:    .fill   64, 8, 0
