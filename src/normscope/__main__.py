from normscope.main import main

main()
